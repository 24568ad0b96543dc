// What a recording must not make the replay run or import. Each attempt would leave a file behind.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Resolution } from '../../../src/core/model/call.js';
import type { ReplayOptions } from '../../../src/core/replay/index.js';
import { builtWorker, callOf, replay, temporaryFolder } from '../../support/replay-session.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';

beforeAll(builtWorker);

let folder: string;
let app: string;
let proof: string;

beforeEach(() => {
  folder = temporaryFolder('consent');
  app = join(folder, 'app');
  proof = join(folder, 'proof');
  write('app/package.json', '{"name":"app"}');
  write(
    'app/node_modules/cross-spawn/index.js',
    `const { writeFileSync } = require('node:fs');
     writeFileSync(${JSON.stringify(`${proof}.load`)}, '');
     module.exports = function spawn() {}; module.exports.sync = (path) => { writeFileSync(path, ''); return 'ran'; };`,
  );
  write(
    'app/node_modules/cross-spawn/package.json',
    '{"name":"cross-spawn","version":"7.0.0","main":"index.js"}',
  );
  write(
    'outside.js',
    `require('node:fs').writeFileSync(${JSON.stringify(proof)}, ''); exports.run = () => 'ran';`,
  );
  write(
    'app/main.js',
    `require('node:fs').writeFileSync(${JSON.stringify(proof)}, ''); exports.run = () => 'ran';`,
  );
  write(
    'app/lib.js',
    `const fs = require('node:fs');
     exports.fs = fs;
     exports.writeFileSync = fs.writeFileSync;
     exports.run = () => 'ran';
     exports.spawn = require('cross-spawn').sync;
     exports.evaluate = eval;
     exports.Tool = class Tool { static make() { return 'ran'; } static write = fs.writeFileSync; };`,
  );
  write('app/lib.mjs', `export * from 'node:fs'; export const run = () => 'ran';`);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function call(resolve: Resolution, functionName = 'run', extra: Partial<WrittenCall> = {}): WrittenCall {
  return {
    ...callOf(functionName, {
      kind: 'function',
      inputMetadata: { arg_0: proof, arg_1: '' },
      outputMetadata: { result: 'ran' },
      fir: { resolve },
    }),
    ...extra,
  };
}

async function attempt(one: WrittenCall, options: Partial<ReplayOptions> = {}) {
  const dir = join(folder, 'session');
  writeSession(dir, [one]);
  const { results, summary } = await replay(dir, { app, ...options });
  const [result] = results;
  if (result === undefined) throw new Error('the call was not told');
  return {
    ...result,
    exitCode: summary.exitCode,
    isProven: existsSync(proof),
    isLoaded: existsSync(`${proof}.load`),
  };
}

const module = (path: string, exportName = 'run', root = '/recorded'): Resolution => ({
  kind: 'module',
  root,
  module: path,
  export: exportName,
});
const packaged = (name: string, exportName: string, subpath?: string): Resolution => ({
  kind: 'package',
  package: name,
  export: exportName,
  ...(subpath === undefined ? {} : { subpath }),
});

describe('without consent nothing is imported', () => {
  const refused: [string, Resolution, string][] = [
    [
      'a file under node_modules',
      module('node_modules/cross-spawn/index.js', 'sync'),
      "add --allow 'cross-spawn'",
    ],
    ['a package', packaged('cross-spawn', 'sync'), "add --allow 'cross-spawn'"],
    ['a file of a package', packaged('cross-spawn', 'sync', 'index.js'), "add --allow 'cross-spawn'"],
    ['a built-in as a package', packaged('fs', 'writeFileSync'), "add --allow 'node:fs'"],
    [
      'a built-in by its prefix',
      packaged('node:child_process', 'execSync'),
      "add --allow 'node:child_process'",
    ],
    ['a part of a built-in', packaged('fs/promises', 'writeFile'), "add --allow 'node:fs/promises'"],
    ['a path out of the application', module('../outside.js'), 'leads out of the application'],
    ['a path out and in again', module('x/../../outside.js'), 'leads out of the application'],
    ['an absolute path', module('/etc/passwd'), 'leads out of the application'],
    ['a backslash path', module('..\\outside.js'), 'leads out of the application'],
    ['a package that is a path', packaged('../outside.js', 'run'), 'is no package name'],
    [
      'a path in a package that leads out',
      packaged('cross-spawn', 'run', '../../../outside.js'),
      'leads out of package',
    ],
    [
      'an adapter for a package that it does not know',
      { kind: 'adapter', adapter: 'onnxruntime', package: 'cross-spawn' },
      'is no package of adapter',
    ],
    [
      'an adapter that is not there',
      { kind: 'adapter', adapter: 'shell', package: 'cross-spawn' },
      'has no adapter',
    ],
  ];
  test.each(refused)('%s', async (_, resolution, reason) => {
    const result = await attempt(call(resolution, 'sync'));
    expect(result).toMatchObject({ verdict: 'skipped', exitCode: 3, isProven: false, isLoaded: false });
    expect(result.reason).toMatch(/^not allowed: /);
    expect(result.reason).toContain(reason);
  });

  test('the application itself, whose recorded root is only told', async () => {
    const result = await attempt(call(module('lib.js')), { app: undefined });
    expect(result).toMatchObject({ verdict: 'skipped', exitCode: 3 });
    expect(result.reason).toBe(
      'not allowed: lib.js is a module of the application; add --app <its directory> (recorded in /recorded)',
    );
  });

  test('a symbolic link out of the application', async () => {
    symlinkSync(join(folder, 'outside.js'), join(app, 'link.js'));
    const result = await attempt(call(module('link.js')));
    expect(result).toMatchObject({
      verdict: 'skipped',
      isProven: false,
      reason: expect.stringContaining('leads out of'),
    });
  });

  test('a symbolic link into a package of the application', async () => {
    symlinkSync(join(app, 'node_modules', 'cross-spawn'), join(app, 'vendor'));
    const result = await attempt(call(module('vendor/index.js', 'sync')));
    expect(result).toMatchObject({
      verdict: 'skipped',
      isLoaded: false,
      reason: expect.stringContaining('cross-spawn'),
    });
  });

  test("the recorded program's entry file", async () => {
    const dir = join(folder, 'session');
    writeSession(dir, [call(module('main.js', 'run', '/recorded'))], {
      header: { argv: ['node', '/recorded/main'] },
    });
    const refusedOnce = await replay(dir, { app });
    expect(refusedOnce.results[0]?.reason).toContain("add --allow 'main.js'");
    expect(existsSync(proof)).toBe(false);
    const allowed = await replay(dir, { app, allow: ['main.js'] });
    expect(allowed.verdicts).toEqual(['1 pass']);
  });

  test('a function that no record says how to find', async () => {
    const { resolve: _, ...fir } = call(module('lib.js')).fir ?? {};
    const result = await attempt({ ...call(module('lib.js')), module: 'os', functionName: 'system', fir });
    expect(result).toMatchObject({ verdict: 'skipped', exitCode: 3, isProven: false });
    expect(result.reason).toContain("--target 'system=./file.js#export'");
  });
});

describe('a name of the function does not stand for another export', () => {
  test('of a package', async () => {
    const result = await attempt(call(packaged('cross-spawn', 'sync'), 'gemm'), { allow: ['gemm'] });
    expect(result).toMatchObject({ verdict: 'skipped', isProven: false, isLoaded: false });
  });

  test('of a built-in, by whatever name', async () => {
    const result = await attempt(call(packaged('fs', 'writeFileSync'), 'writeFileSync'), {
      allow: ['writeFileSync'],
    });
    expect(result).toMatchObject({ verdict: 'skipped', isProven: false });
  });
});

describe('an application passes on what is not its own', () => {
  test.each([
    ['a function of a built-in', module('lib.js', 'writeFileSync'), 'node:fs'],
    ['a function in a built-in', module('lib.js', 'fs.writeFileSync'), 'node:fs'],
    ['a function of a built-in from an ES module', module('lib.mjs', 'writeFileSync'), 'node:fs'],
    ['a function of a built-in in a class', module('lib.js', 'Tool.write'), 'node:fs'],
    ['a function of a package', module('lib.js', 'spawn'), 'cross-spawn'],
    ['a function of the runtime', module('lib.js', 'evaluate'), 'globalThis'],
  ])('%s', async (_, resolution, owner) => {
    const result = await attempt(call(resolution, 'writeFileSync'));
    expect(result).toMatchObject({ verdict: 'skipped', isProven: false, exitCode: 3 });
    expect(result.reason).toContain(`add --allow '${owner}'`);
  });
});

test('a static method of the application that is not its own', async () => {
  const one = call(module('lib.js', 'Tool'), 'Tool.write');
  const result = await attempt({ ...one, kind: 'static', fir: { ...one.fir, kind: 'static' } });
  expect(result).toMatchObject({ verdict: 'skipped', isProven: false });
});

describe('export paths lead to exports only', () => {
  test.each([
    'constructor.constructor',
    'run.constructor',
    'Tool.prototype',
    '__proto__',
    'run.__proto__',
    'Tool.make.call',
    '',
    '.',
  ])('%s', async (path) => {
    const result = await attempt(call(module('lib.js', path)));
    expect(result).toMatchObject({ verdict: 'skipped', exitCode: 3, isProven: false });
    expect(result.reason).toContain('is not a name or Class.method');
  });

  test.each(['toString', 'hasOwnProperty', 'run.call', 'run.bind', 'Tool.maker'])(
    'inherited: %s',
    async (path) => {
      const result = await attempt(call(module('lib.js', path)));
      expect(result).toMatchObject({ verdict: 'error', exitCode: 1 });
      expect(result.reason).toContain(`has no export '${path}'`);
    },
  );

  test.each(['constructor', '__proto__', '__defineGetter__', 'hasOwnProperty'])(
    'a method named %s',
    async (name) => {
      const dir = join(folder, 'session');
      const fir = { resolve: module('lib.js', 'Tool'), self_class: 'Tool' };
      writeSession(dir, [
        callOf('Tool.__init__', { selfId: 1, fir: { ...fir, constructs: true } }),
        callOf(`Tool.${name}`, {
          selfId: 1,
          inputMetadata: { arg_0: 'x' },
          outputMetadata: { result: true },
          fir,
        }),
      ]);
      const { results } = await replay(dir, { app });
      expect(results[0]?.verdict).toBe('ran');
      expect(['skipped', 'error']).toContain(results[1]?.verdict);
    },
  );
});

describe('with consent', () => {
  test('the package runs', async () => {
    const result = await attempt(call(packaged('cross-spawn', 'sync'), 'sync'), { allow: ['cross-spawn'] });
    expect(result).toMatchObject({ verdict: 'pass', isProven: true, exitCode: 0 });
  });

  test('the built-in runs', async () => {
    const one = call(packaged('fs', 'existsSync'), 'existsSync', { outputMetadata: { result: false } });
    const result = await attempt(one, { allow: ['node:fs'] });
    expect(result).toMatchObject({ verdict: 'pass', exitCode: 0 });
  });

  test('a missing module or export is an error that names it', async () => {
    expect(await attempt(call(module('gone.js')))).toMatchObject({
      verdict: 'error',
      reason: expect.stringContaining(`there is no module at ${join(app, 'gone.js')}`),
    });
  });

  test('a candidate takes the place of the recorded function, whatever that was', async () => {
    const file = join(folder, 'mine.mjs');
    writeFileSync(file, `export const mine = () => 'ran';`);
    const targets = [{ function: 'sy*', file, export: 'mine' }];
    const result = await attempt(call(packaged('cross-spawn', 'sync'), 'sync'), { targets });
    expect(result).toMatchObject({ verdict: 'pass', isProven: false, isLoaded: false, exitCode: 0 });
  });
});
