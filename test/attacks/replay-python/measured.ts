import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firBin, nodeUnderTest, type ProcessResult, runProcess } from '../../support/fir.js';

/** Runs a program to its end and writes the most memory that it, or a process that it waited for, ever had. */
const MEASURE = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
unit = 1 if sys.platform == 'darwin' else 1024
open(sys.argv[1], 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit))
sys.exit(code)
`;

export interface Measured extends ProcessResult {
  /** Of the largest of its processes. */
  peakBytes: number;
}

/** Runs `fir` as a user does, under a program that measures it. */
export async function measureFir(args: readonly string[]): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'fir-test-'));
  try {
    const file = join(folder, 'peak');
    const result = await runProcess('python3', ['-c', MEASURE, file, nodeUnderTest, firBin, ...args]);
    return { ...result, peakBytes: Number(readFileSync(file, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
