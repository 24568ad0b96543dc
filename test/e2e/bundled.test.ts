import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { nodeUnderTest, repository, runFir, runProcess, temporaryDirectory } from '../support/fir.js';

const PROGRAM = `
import { recordable } from 'fir-recorder';
const recorded = recordable(function doubled(x) { return x.map((value) => 2 * value); });
console.log(recorded(Float32Array.of(1, 2)).join());
`;

it.each(['esm', 'cjs'] as const)(
  'a program with the package bundled into its %s file is recorded, and runs without',
  async (format) => {
    const directory = temporaryDirectory();
    const session = join(directory, 'session');
    const bundle = join(directory, format === 'esm' ? 'app.mjs' : 'app.cjs');
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(repository, join(directory, 'node_modules', 'fir-recorder'));
    writeFileSync(join(directory, 'main.js'), PROGRAM);
    await build({
      entryPoints: [join(directory, 'main.js')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'silent',
      ...(format === 'esm'
        ? {
            banner: {
              js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);",
            },
          }
        : {}),
    });
    const captured = await runFir(['capture', '-o', session, '--', nodeUnderTest, bundle]);
    expect(captured).toMatchObject({ code: 0, stdout: '2,4\n' });
    expect(openSession(session).calls.map((call) => call.functionName)).toEqual(['doubled']);

    const alone = await runProcess(nodeUnderTest, [bundle], { env: { FIR_LOGLEVEL: '10' } });
    expect(alone).toMatchObject({ code: 0, stdout: '2,4\n', stderr: '' });
  },
);
