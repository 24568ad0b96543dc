import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, repository, runFir } from '../support/fir.js';

const KERNELS = `
import { recordable } from 'fir-recorder';
enum Mode { Add = 1, Subtract = -1 }
export const combine = recordable(
  function combine(a: Float32Array, b: Float32Array, mode: Mode = Mode.Add): Float32Array {
    return a.map((value, i) => value + mode * (b[i] ?? 0));
  },
);
export const scale = (a: Float32Array, factor: number): Float32Array => a.map((value) => value * factor);
`;
const APP = `
import { combine, scale } from './kernels.ts';
const x: Float32Array = Float32Array.of(1, 2, 3);
console.log(combine(x, x, -1).join(), combine(x, x).join(), scale(x, 3).join());
`;

describe.each(['module', 'commonjs'])('a TypeScript program of type %s run by tsx', (type) => {
  let app: string;
  let session: string;
  let loader: string;

  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), 'fir-tsx-'));
    session = join(app, 'session');
    loader = `--import=${join(repository, 'node_modules', 'tsx', 'dist', 'loader.mjs')}`;
    mkdirSync(join(app, 'node_modules'));
    symlinkSync(repository, join(app, 'node_modules', 'fir-recorder'));
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'tsx-app', type }));
    writeFileSync(join(app, 'kernels.ts'), KERNELS);
    writeFileSync(join(app, 'app.ts'), APP);
  });
  afterAll(() => rmSync(app, { recursive: true, force: true }));

  it('is recorded, and replayed with the same loader', async () => {
    const flags = ['-o', session, '--instrument', './kernels.ts#scale'];
    const captured = await runFir(['capture', ...flags, '--', nodeUnderTest, loader, 'app.ts'], { cwd: app });
    expect(captured).toMatchObject({ code: 0, stdout: '0,0,0 2,4,6 3,6,9\n' });
    expect(captured.stderr).toContain('3 calls recorded (3 completed, 0 failed, 0 unfinished)');
    const replayed = await runFir(['replay', session, '--app', app, `--node-option=${loader}`]);
    expect(replayed.stdout).toContain('3 passed, 0 ran, 0 mismatches, 0 skipped of 3 calls');
    expect(replayed.code).toBe(0);
  });
});
