import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isEsModule } from '../../src/preload/module-kind.js';
import { makeTempDir } from '../support/temp-dir.js';

/** Whether a file with this text, in a package of this type, is an ES module. */
function kindOf(name: string, text: string, manifest?: object): boolean {
  const directory = join(makeTempDir(), 'src');
  mkdirSync(directory);
  if (manifest !== undefined) writeFileSync(join(directory, '..', 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, name), text);
  return isEsModule(join(directory, name));
}

describe('isEsModule', () => {
  it.each([
    ['kernels.mjs', '', {}, true],
    ['kernels.mts', '', { type: 'commonjs' }, true],
    ['kernels.cjs', 'export {}', { type: 'module' }, false],
    ['kernels.cts', '', { type: 'module' }, false],
    ['kernels.js', 'exports.a = 1', { type: 'module' }, true],
    ['kernels.ts', '', { type: 'module' }, true],
    ['kernels.js', 'export const a = 1', { type: 'commonjs' }, false],
    ['kernels.js', 'exports.a = 1', {}, false],
    ['kernels.js', '// comment\nexport const a = 1;', {}, true],
    ['kernels.js', '  export default 1;', {}, true],
    ['kernels.js', "import a from 'a';", undefined, true],
    ['kernels.js', "import * as a from 'a';", undefined, true],
    ['kernels.js', "import 'a';", undefined, true],
    ['kernels.js', "import('a'); exports.b = 1;", undefined, false],
    ['kernels.js', 'exported(1); importing = 2;', undefined, false],
  ])('%s with %j in %j: %s', (name, text, manifest, expected) => {
    expect(kindOf(name, text, manifest)).toBe(expected);
  });
});
