import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, type ProcessResult, runFir, runProcess, temporaryDirectory } from '../support/fir.js';
import {
  type CapturedCall,
  type CapturedSession,
  makeProject,
  program,
  programs,
  readCaptured,
  sharedDirectory,
} from './captured.js';

const SPECS = [
  './instrumented-module.mjs#gemm,later,Attention,default,fromStar',
  './instrumented-plain.cjs#gemm,Attention',
  './instrumented-getters.cjs#gemm',
  './instrumented-function.cjs#default',
];

function instrument(...specs: readonly string[]): string[] {
  return specs.flatMap((spec) => ['--instrument', spec]);
}

/** Runs an entry file of a project by itself and under `fir capture`, in the project. */
async function runProject(files: Readonly<Record<string, string>>, entry: string, specs: readonly string[]) {
  const cwd = makeProject(temporaryDirectory(), files);
  const bare = await runProcess(nodeUnderTest, [entry], { cwd });
  const flags = ['-o', 'session', ...instrument(...specs)];
  const captured = await runFir(['capture', ...flags, '--', nodeUnderTest, entry], { cwd });
  return { bare, captured, calls: () => readCaptured(join(cwd, 'session')).calls };
}

describe('--instrument', () => {
  let bare: ProcessResult;
  let captured: ProcessResult;
  let session: CapturedSession;
  const directory = join(sharedDirectory(), 'session');

  beforeAll(async () => {
    const entry = program('import-instrumented.mjs');
    bare = await runProcess(nodeUnderTest, [entry]);
    const flags = ['capture', '-q', '-o', directory, ...instrument(...SPECS)];
    captured = await runFir([...flags, '--', nodeUnderTest, entry], { cwd: programs });
    session = readCaptured(directory);
  });

  const callsOf = (module: string): CapturedCall[] =>
    session.calls.filter((call) => call.record.module === `test/fixtures/programs/${module}`);

  it('changes nothing that the program can see', () => {
    expect(captured).toEqual(bare);
    expect(bare.stdout.match(/runs once/g)).toHaveLength(1);
  });

  it('records named, default and star exports of an ES module, and classes', () => {
    expect(callsOf('instrumented-module.mjs').map((call) => call.name)).toEqual([
      'gemm',
      'gemm',
      'later',
      'callable',
      'fromStar',
      'Attention.__init__',
      'Attention.run',
      'Attention.create',
      'Attention.run',
      'Attention.create',
    ]);
  });

  it('records plain exports, getters and a function as the exports of CommonJS files', () => {
    expect(callsOf('instrumented-plain.cjs').map((call) => call.name)).toEqual([
      'gemm',
      'Attention.__init__',
      'Attention.run',
    ]);
    expect(callsOf('instrumented-plain.cjs')[0]?.outputs).toEqual({ result: [6] });
    expect(callsOf('instrumented-getters.cjs').map((call) => call.name)).toEqual(['gemm']);
    expect(callsOf('instrumented-function.cjs').map((call) => call.name)).toEqual(['double']);
  });

  it('says where each function is found again, in the records and in the header', () => {
    const exported = (module: string): unknown[] =>
      callsOf(module).map(({ fir: { resolve } }) => resolve?.kind === 'module' && resolve.export);
    expect(exported('instrumented-module.mjs').slice(2, 6)).toEqual([
      'later',
      'default',
      'fromStar',
      'Attention',
    ]);
    expect(exported('instrumented-function.cjs')).toEqual(['default']);
    expect(session.processes[0]?.hooked).toContain('test/fixtures/programs/instrumented-getters.cjs#gemm');
  });
});

describe('--instrument in a CommonJS program', () => {
  it('reaches files that are required by any of their names, folders and circles included', async () => {
    const { bare, captured, calls } = await runProject(
      {
        'app.js': `
          const { gemm } = require('./lib');
          const again = require('./lib/index.js');
          const { viaCircle } = require('./other');
          console.log(gemm(1, 2), again.gemm === gemm, viaCircle(), require.main === module, module.parent);`,
        'lib/index.js': `
          exports.gemm = (a, b) => a * b;
          const other = require('../other');
          exports.unused = other;`,
        'other.js': `const lib = require('./lib'); exports.viaCircle = () => lib.gemm(3, 4);`,
        'package.json': '{}',
      },
      'app.js',
      ['./lib/index.js#gemm'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(bare.stdout).toBe('2 true 12 true null\n');
    expect(calls().map((call) => call.record.output_metadata['result'])).toEqual([2, 12]);
  });

  it('reaches packages, and leaves their other files alone', async () => {
    const { bare, captured, calls } = await runProject(
      {
        'app.cjs': `
          const { gemm } = require('kernels');
          const { helper } = require('kernels/helper.js');
          import('kernels').then((kernels) => console.log(gemm(1, 2), kernels.gemm === gemm, helper()));`,
        'node_modules/kernels/package.json': '{"name":"kernels","version":"1.2.3","main":"lib/main.js"}',
        'node_modules/kernels/lib/main.js': 'exports.gemm = (a, b) => a + b;',
        'node_modules/kernels/helper.js': `exports.helper = () => 'help'; exports.gemm = 1;`,
      },
      'app.cjs',
      ['kernels#gemm'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    const [call] = calls();
    expect(call?.fir.resolve).toEqual({
      kind: 'package',
      package: 'kernels',
      version: '1.2.3',
      subpath: 'lib/main.js',
      export: 'gemm',
    });
  });

  it('reaches an ES module that is required', async () => {
    const { bare, captured, calls } = await runProject(
      {
        'app.cjs': `
          const kernels = require('./kernels.mjs');
          console.log(kernels.gemm(1, 2), kernels.other, Object.keys(kernels), require('./kernels.mjs') === kernels);`,
        'kernels.mjs': `export const gemm = (a, b) => a + b; export const other = 'other';`,
      },
      'app.cjs',
      ['./kernels.mjs#gemm'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(calls().map((call) => call.name)).toEqual(['gemm']);
  });
});

describe('--instrument of an ES module', () => {
  it('adds no export: a default is passed on only where there is one', async () => {
    const source = (text: string): string => `${text}\nexport const gemm = (a, b) => a + b;`;
    const { bare, captured, calls } = await runProject(
      {
        'app.mjs': `
          import * as none from './none.mjs';
          import * as named from './named.mjs';
          import * as reexported from './reexported.mjs';
          import * as untyped from './untyped.js';
          for (const one of [none, named, reexported, untyped]) console.log(Object.keys(one), one.default, one.gemm(1, 2));`,
        'none.mjs': source(
          `switch (1) { default: } export { default as inner } from './named.mjs'; // default`,
        ),
        'named.mjs': source(`const main = 'main'; export { main as default };`),
        'reexported.mjs': source(`export { default, gemm as other } from './named.mjs';`),
        'untyped.js': source(`export default 'untyped';`),
      },
      'app.mjs',
      ['./none.mjs#gemm', './named.mjs#gemm', './reexported.mjs#gemm', './untyped.js#gemm'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(calls()).toHaveLength(4);
  });

  it('does not take a CommonJS file without a type for one', async () => {
    const { bare, captured, calls } = await runProject(
      {
        'app.mjs': `
          import kernels, { gemm } from './kernels.js';
          console.log(gemm(1, 2), kernels.gemm === gemm, Object.keys(kernels));`,
        'kernels.js': `exports.gemm = (a, b) => a + b; exports.other = 1;`,
      },
      'app.mjs',
      ['./kernels.js#gemm'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: bare.stdout });
    expect(calls().map((call) => call.name)).toEqual(['gemm']);
  });
});

describe('--instrument that is wrong', () => {
  it('names a missing file before the program starts', async () => {
    const result = await runFir([
      'capture',
      ...instrument('./no-such.js#gemm'),
      '--',
      nodeUnderTest,
      '-p',
      '1',
    ]);
    expect(result).toMatchObject({ code: 125, stdout: '' });
    expect(result.stderr).toContain('no-such.js');
  });

  it('asks for the functions that it names none of', async () => {
    const result = await runFir(['capture', ...instrument('./no-such.js'), '--', nodeUnderTest, '-p', '1']);
    expect(result).toMatchObject({ code: 125, stdout: '' });
    expect(result.stderr).toContain("--instrument './kernels.js#gemm,Attention'");
  });

  it('says which exports are missing or no functions, and records the others', async () => {
    const { captured, calls } = await runProject(
      {
        'app.mjs': `import { gemm } from './kernels.mjs'; import './plain.cjs'; console.log(gemm(1, 2));`,
        'kernels.mjs': `export const gemm = (a, b) => a + b; export const constant = 1;`,
        'plain.cjs': `exports.other = 1;`,
      },
      'app.mjs',
      ['./kernels.mjs#gemm,constant,missing', './plain.cjs#absent'],
    );
    expect(captured).toMatchObject({ code: 0, stdout: '3\n' });
    expect(captured.stderr).toMatch(/kernels\.mjs exports no function constant/);
    expect(captured.stderr).toMatch(/kernels\.mjs exports no function missing/);
    expect(captured.stderr).toMatch(/plain\.cjs exports no function absent/);
    expect(calls().map((call) => call.name)).toEqual(['gemm']);
  });
});
