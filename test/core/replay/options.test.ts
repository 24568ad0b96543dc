import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { APP, builtWorker, callOf, floats, replay, temporaryFolder } from '../../support/replay-session.js';
import { tensorOf, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

const DOUBLED = callOf('double', { inputs: { arg_0: floats(1, 2) }, outputs: { result: floats(2, 4) } });

function session(...calls: Parameters<typeof writeSession>[1][number][]): string {
  const dir = temporaryFolder('options');
  writeSession(dir, calls);
  return dir;
}

test('a selection of nothing is told as such, whatever --allow-incomplete says', async () => {
  const { summary } = await replay(session(DOUBLED), {
    select: { include: ['none'], exclude: [], pid: [] },
    allowIncomplete: true,
  });
  expect(summary).toMatchObject({ calls: 0, exitCode: 3 });
});

test('an unreadable session, a device or a directory that is not there are refused before anything runs', async () => {
  const dir = session(DOUBLED);
  await expect(replay(join(dir, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(replay(dir, { pythonPath: ['/nowhere'] })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(replay(dir, { device: 'cuda:0' })).rejects.toMatchObject({ code: 'DEVICE_MISSING' });
  await expect(replay(dir, { app: join(dir, 'none') })).rejects.toMatchObject({ code: 'USAGE' });
  const targets = [{ function: 'double', file: './none.js', export: 'x' }];
  await expect(replay(dir, { targets })).rejects.toMatchObject({ code: 'USAGE' });
});

test("a recorder's session without a preset has that recorder's own", async () => {
  const comparison = { nan: 'equal' as const, rules: [], ignore: [], as: [] };
  expect((await replay(session(DOUBLED), { comparison })).begin.preset).toBe('default');
  const foreign = temporaryFolder('options');
  writeSession(foreign, [{ functionName: 'mm_fp8', outputs: { result: tensorOf('float32', [1]) } }], {
    foreign: true,
  });
  expect((await replay(foreign, { comparison })).begin.preset).toBe('flashinfer');
});

test('the Node options of the recorded program are a hint, never followed', async () => {
  const dir = temporaryFolder('options');
  writeSession(dir, [DOUBLED], {
    header: { execArgv: ['--import', './evil.mjs'], node_options: '--require ./evil.cjs' },
  });
  const { begin, verdicts } = await replay(dir);
  expect(begin.notes).toEqual([
    'recorded with the Node options --import ./evil.mjs --require ./evil.cjs; give those that the code needs with --node-option',
  ]);
  expect(verdicts).toEqual(['1 pass']);
});

test('TypeScript modules run with the loader that --node-option names', async () => {
  const app = temporaryFolder('tsx');
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(app, 'ops.ts'),
    'export const double = (x: Float32Array): Float32Array => x.map((v: number) => v * 2);',
  );
  const dir = session(
    callOf('double', { module: 'ops.ts', inputs: { arg_0: floats(1) }, outputs: { result: floats(2) } }),
  );
  const { verdicts } = await replay(dir, { app, nodeOptions: ['--import', import.meta.resolve('tsx')] });
  expect(verdicts).toEqual(['1 pass']);
});

test('exports are found however the module gives them', async () => {
  const app = temporaryFolder('exports');
  const half = '(x) => x.map((v) => v / 2)';
  const files: Record<string, string> = {
    'named.cjs': `exports.half = ${half};`,
    'dynamic.cjs': `module.exports = Object.assign({}, { half: ${half} });`,
    'whole.cjs': `module.exports = ${half};`,
    'transpiled.cjs': `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = ${half};`,
    'getter.cjs': `Object.defineProperty(exports, 'half', { enumerable: true, get: () => ${half} });`,
    'default.mjs': `export default ${half};`,
    'object.mjs': `export default { half: ${half} };`,
    'nested.mjs': `export const ops = { half: ${half} };`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
  const exportOf = (name: string) =>
    ['whole', 'transpiled', 'default'].some((start) => name.startsWith(start))
      ? 'default'
      : name.startsWith('nested')
        ? 'ops.half'
        : 'half';
  const names = Object.keys(files);
  const calls = names.map((module) =>
    callOf('half', {
      module,
      export: exportOf(module),
      inputs: { arg_0: floats(4) },
      outputs: { result: floats(2) },
    }),
  );
  const { results } = await replay(session(...calls), { app });
  expect(results.map(({ verdict }, index) => `${names[index]} ${verdict}`)).toEqual(
    names.map((name) => `${name} pass`),
  );
});

test('packages are loaded from the application, by whatever entry they have', async () => {
  const app = temporaryFolder('packages');
  const install = (name: string, manifest: object, files: Record<string, string>) => {
    const folder = join(app, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '2.0.0', ...manifest }));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  };
  const half = 'x.map((v) => v / 2)';
  install(
    'common',
    { main: 'index.js' },
    { 'index.js': `exports.half = (x) => ${half};`, 'part.js': `exports.half = (x) => ${half};` },
  );
  install(
    'modern',
    { type: 'module', exports: { import: './index.js' } },
    { 'index.js': `export const half = (x) => ${half};` },
  );
  install(
    '@scope/late',
    { type: 'module', exports: './index.js' },
    { 'index.js': `await 0; export const half = (x) => ${half};` },
  );
  const call = (name: string, subpath?: string) =>
    callOf('half', {
      inputs: { arg_0: floats(4) },
      outputs: { result: floats(2) },
      fir: {
        resolve: {
          kind: 'package',
          package: name,
          version: '1.0.0',
          export: 'half',
          ...(subpath === undefined ? {} : { subpath }),
        },
      },
    });
  const dir = session(
    call('common'),
    call('common', 'part.js'),
    call('modern'),
    call('@scope/late'),
    call('absent'),
  );
  const { results } = await replay(dir, { app, allow: ['*'] });
  expect(results.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass', 'pass', 'error']);
  expect(results[0]?.notes).toEqual(['common is 2.0.0 here, 1.0.0 when it was recorded']);
  expect(results[1]?.notes).toBeUndefined();
  expect(results[4]?.reason).toContain('package absent is not installed where the replay looks');
});

test('candidates stand in for functions, methods and whole classes', async () => {
  const file = join(temporaryFolder('candidate'), 'mine.mjs');
  writeFileSync(
    file,
    `export const double = (x) => x.map((v) => v * 3);
     export function total() { return this.total() + 1; }
     export class Summer { total() { return 7; } add() {} }`,
  );
  const calls = [
    DOUBLED,
    callOf('Summer.__init__', { selfId: 1, inputMetadata: { arg_0: 1 } }),
    callOf('Summer.total', { selfId: 1, outputMetadata: { result: 1 } }),
  ];
  const target = (name: string, exported: string) => [{ function: name, file, export: exported }];
  const verdictsWith = async (name: string, exported: string) =>
    (await replay(session(...calls), { app: APP, targets: target(name, exported) })).results.map(
      ({ verdict, outputs }) => `${verdict} ${outputs[0]?.actual ?? ''}`.trim(),
    );
  expect(await verdictsWith('double', 'double')).toEqual(['mismatch', 'ran', 'pass 1']);
  expect(await verdictsWith('Summer.total', 'total')).toEqual(['pass', 'ran', 'mismatch 2']);
  expect(await verdictsWith('Summer', 'Summer')).toEqual(['pass', 'ran', 'mismatch 7']);
});
