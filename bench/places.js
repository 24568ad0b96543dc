/** Where what the benchmarks run stands. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const fir = join(root, 'bin', 'run.js');
export const program = (name) => join(root, 'bench', 'programs', name);
