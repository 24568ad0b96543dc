import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, repository, runFir } from '../support/fir.js';

/** The example in a directory of its own, as an application that has fir-recorder installed. */
describe("a program's own functions", () => {
  let directory: string;
  let app: string;
  let session: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fir-kernels-'));
    app = join(directory, 'app');
    session = join(directory, 'session');
    cpSync(join(repository, 'examples', 'kernels'), app, { recursive: true });
    writeFileSync(join(app, 'package.json'), '{ "name": "kernels-app", "type": "module" }');
    cpSync(join(repository, 'package.json'), join(app, 'node_modules', 'fir-recorder', 'package.json'));
    symlinkSync(join(repository, 'dist'), join(app, 'node_modules', 'fir-recorder', 'dist'));
    const result = await runFir(['capture', '-o', session, '--', nodeUnderTest, 'main.js'], { cwd: app });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('11 calls recorded');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('replay once the application is allowed', async () => {
    const result = await runFir(['replay', session, '--app', app]);
    expect(result.code).toBe(0);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toMatch(
      /^8 passed, 3 ran, 0 mismatches, 0 skipped of 11 calls/,
    );
  });

  it('are not imported without being allowed', async () => {
    const result = await runFir(['replay', session]);
    expect(result.code).toBe(3);
    expect(result.stdout).toContain('--app');
  });

  it('fail when a new version computes something else in place', async () => {
    const changed = join(directory, 'changed');
    cpSync(app, changed, { recursive: true, verbatimSymlinks: true });
    const path = join(changed, 'kernels.js');
    writeFileSync(path, readFileSync(path, 'utf8').replace('y[i] += a * x[i]', 'y[i] += a * x[i] + 0.01'));
    const result = await runFir(['replay', session, '--app', changed, '--include', 'saxpy', '--json']);
    expect(result.code).toBe(1);
    const document = JSON.parse(result.stdout) as { summary: Record<string, number> };
    expect(document.summary).toMatchObject({ mismatch: 4, pass: 0 });
  });

  it('serve as the test suite of a candidate', async () => {
    const good = join(directory, 'good.mjs');
    const bad = join(directory, 'bad.mjs');
    writeFileSync(good, 'export function mine(a, x, y) { y.forEach((v, i) => { y[i] = v + a * x[i]; }); }');
    writeFileSync(bad, 'export function mine(a, x, y) { y.forEach((v, i) => { y[i] = v - a * x[i]; }); }');
    const run = (path: string) =>
      runFir(['replay', session, '--include', 'saxpy', '--target', `saxpy=${path}#mine`]);
    expect((await run(good)).code).toBe(0);
    expect((await run(bad)).code).toBe(1);
  });

  it('replay although the program ended before any export could be looked up', async () => {
    const sync = join(directory, 'sync-session');
    const program = join(app, 'sync.js');
    writeFileSync(
      program,
      `import { Gather, saxpy } from './kernels.js';
       const gather = new Gather(2);
       gather.plan([1]);
       saxpy(2, gather.run(Float32Array.of(1, 2, 3, 4)), new Float32Array(2));
       process.exit(0);`,
    );
    const captured = await runFir(['capture', '-o', sync, '--', nodeUnderTest, program], { cwd: app });
    expect(captured.code).toBe(0);
    const result = await runFir(['replay', sync, '--app', app]);
    expect(result.stdout).toContain('2 passed, 2 ran, 0 mismatches, 0 skipped of 4 calls');
    expect(result.code).toBe(0);
  });

  it('replay with a subclass that calls the method it overrides', async () => {
    const superSession = join(directory, 'super-session');
    writeFileSync(
      join(app, 'layers.js'),
      `import { recordable } from 'fir-recorder';
       export const Layer = recordable.class(class Layer {
         constructor(factor) { this.factor = factor; }
         run(x) { return x.map((value) => value * this.factor); }
       });
       export const Shifted = recordable.class(class Shifted extends Layer {
         run(x) { return super.run(x).map((value) => value + 1); }
       });`,
    );
    const program = join(app, 'super.js');
    writeFileSync(
      program,
      `import { Shifted } from './layers.js'; new Shifted(2).run(Float32Array.of(1, 2));`,
    );
    await runFir(['capture', '-o', superSession, '--', nodeUnderTest, program], { cwd: app });
    const result = await runFir(['replay', superSession, '--app', app]);
    expect(result.stdout).toContain('1 passed, 2 ran, 0 mismatches, 0 skipped of 3 calls');
    expect(result.code).toBe(0);
  });

  it('replay where one buffer is written to as `out` and read as `in`', async () => {
    const aliasSession = join(directory, 'alias-session');
    writeFileSync(
      join(app, 'twice.js'),
      `import { recordable } from 'fir-recorder';
       export const twice = recordable(
         function twice(out, x) { x.forEach((value, i) => { out[i] = 2 * value; }); },
         { roles: { arg_0: 'out', arg_1: 'in' } },
       );`,
    );
    const program = join(app, 'alias.js');
    writeFileSync(
      program,
      `import { twice } from './twice.js';
       const x = Float32Array.of(1, 2, 3);
       twice(x, x);
       twice(new Float32Array(3), x);`,
    );
    await runFir(['capture', '-o', aliasSession, '--', nodeUnderTest, program], { cwd: app });
    const result = await runFir(['replay', aliasSession, '--app', app]);
    expect(result.stdout).toContain('2 passed, 0 ran, 0 mismatches, 0 skipped of 2 calls');
    expect(result.code).toBe(0);
  });

  it('are not held to what a container declared `in` ended as', async () => {
    const rolesSession = join(directory, 'roles-session');
    writeFileSync(
      join(app, 'logging.js'),
      `import { recordable } from 'fir-recorder';
       export const total = recordable(
         function total(log, values) { log.push(log.length); return values.reduce((a, b) => a + b, 0); },
         { roles: { arg_0: 'in', arg_1: 'in' } },
       );`,
    );
    const program = join(app, 'log.js');
    writeFileSync(program, `import { total } from './logging.js'; total([], Float32Array.of(1, 2));`);
    await runFir(['capture', '-o', rolesSession, '--', nodeUnderTest, program], { cwd: app });
    const result = await runFir(['replay', rolesSession, '--app', app]);
    expect(result.stdout).toContain('1 passed, 0 ran, 0 mismatches, 0 skipped of 1 call (1 output compared)');
  });

  it('bring along what a selected call of an object needs', async () => {
    const result = await runFir(['replay', session, '--app', app, '--call', '11', '--json']);
    expect(result.code).toBe(0);
    const document = JSON.parse(result.stdout) as { summary: Record<string, number> };
    expect(document.summary).toMatchObject({ calls: 1, pass: 1 });
  });
});
