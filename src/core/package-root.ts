import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FirError } from './errors.js';

/** The directory of this package, from the built files as from the sources. */
function packageRoot(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'fir-recorder')
      return directory;
    if (directory === dirname(directory)) throw new FirError('INTERNAL', 'the package has no package.json');
  }
}

/** Directory of the code that runs in a Python worker. */
export function pythonWorker(): string {
  return join(packageRoot(), 'python', 'fir_replay');
}

/** A file that the build makes. FirError CAPTURE_FAILED where it was not built. */
export function builtFile(...parts: string[]): string {
  const path = join(packageRoot(), 'dist', ...parts);
  if (!existsSync(path)) {
    throw new FirError('CAPTURE_FAILED', `${path} is missing`, {
      hint: 'build it: npm run build',
      where: path,
    });
  }
  return path;
}
