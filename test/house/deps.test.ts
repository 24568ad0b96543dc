import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type ProcessResult, repository, runProcess } from '../support/fir.js';
import { makeTempDir } from '../support/temp-dir.js';

function checkDeps(root: string): Promise<ProcessResult> {
  return runProcess(process.execPath, [join(repository, 'scripts', 'check-deps.js'), root]);
}

/** The project's rules over other files. */
function projectWith(files: Record<string, string>): string {
  const root = makeTempDir();
  cpSync(join(repository, 'deps.json'), join(root, 'deps.json'));
  for (const folder of ['bin', 'src']) mkdirSync(join(root, folder));
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  return root;
}

test('no file imports what its folder may not', async () => {
  expect(await checkDeps(repository)).toMatchObject({ code: 0, stderr: '' });
});

test('a forbidden import is found in every form', async () => {
  const { code, stderr } = await checkDeps(
    projectWith({
      'bin/starts-early.js': "import '../src/cli/main.js';",
      'src/core/tensor/uses-the-command-line.ts': "import { printable } from '../../cli/printable.js';",
      'src/core/session/uses-a-package.ts': "import pino from 'pino';",
      'src/core/dtype/looks-up.ts': "export * from '../tensor/index.js';",
      'src/core/dtype/uses-a-type.ts': "import type { Tensor } from '../tensor/index.js';",
      'src/core/json/uses-a-type-in-place.ts': "export type T = import('../tensor/index.js').Tensor;",
      'src/core/json/uses-part-of-a-package.ts': "import '@oclif/core/flags';",
      'src/report/imports-when-needed.ts': "await import('../commands/replay.js');",
      'src/preload/requires.ts': "require('../cli/main.js');",
      'src/extra/has-no-entry.ts': 'export {};',
      'src/core/extra/has-no-entry.ts': 'export {};',
    }),
  );
  expect(code).toBe(1);
  expect(stderr.trimEnd().split('\n').slice(0, -1).sort()).toMatchInlineSnapshot(`
    [
      "bin/starts-early.js: bin may not import ../src/cli/main.js",
      "src/core/dtype/looks-up.ts: src/core/dtype may not import ../tensor/index.js",
      "src/core/dtype/uses-a-type.ts: src/core/dtype may not import ../tensor/index.js",
      "src/core/extra/has-no-entry.ts: its folder has no entry",
      "src/core/json/uses-a-type-in-place.ts: src/core/json may not import ../tensor/index.js",
      "src/core/json/uses-part-of-a-package.ts: src/core/json may not import @oclif/core/flags",
      "src/core/session/uses-a-package.ts: src/core/session may not import pino",
      "src/core/tensor/uses-the-command-line.ts: src/core/tensor may not import ../../cli/printable.js",
      "src/extra/has-no-entry.ts: its folder has no entry",
      "src/preload/requires.ts: src/preload may not import ../cli/main.js",
      "src/report/imports-when-needed.ts: src/report may not import ../commands/replay.js",
    ]
  `);
});

test('what the rules allow passes', async () => {
  const root = projectWith({
    'bin/run.js': "await import('../dist/cli.js');",
    'src/cli/main.ts': "import '@oclif/core/run';\nimport '../core/errors.js';\nimport 'node:fs';",
    'src/commands/x.ts': "import '../core/replay/index.js';\nimport '../report/pretty.js';",
    'src/core/json/x.ts': "import type { DtypeName } from '../model/dtype.js';",
  });
  expect(await checkDeps(root)).toMatchObject({ code: 0, stderr: '' });
});
