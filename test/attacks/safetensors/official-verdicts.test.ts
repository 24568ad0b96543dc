import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FirError } from '../../../src/core/errors.js';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { askOfficial } from '../../core/safetensors/official-library.js';
import { pythonWith, SAFETENSORS_PACKAGES } from '../../support/python.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { fuzzedFile } from './fuzzed-files.js';

/** What the official reader lets pass: the last of two equal names wins there, and an empty tensor may be 2^60 wide in another dimension. */
const STRICTER = /duplicate (tensor name|key)|past 2\^53|overflows$/;
/** Headers that the official reader refuses as a whole for a dtype; here the other tensors stay readable. */
const UNKNOWN_DTYPE = /unknown variant/;

beforeAll(async () => {
  await pythonWith(SAFETENSORS_PACKAGES);
}, 600_000);

/** Undefined where the file is read, else what is said against it. */
function verdictOf(path: string): string | undefined {
  try {
    SafetensorsFile.open(path).close();
    return undefined;
  } catch (error) {
    if (error instanceof FirError && error.code === 'SAFETENSORS_INVALID') return error.message;
    throw error;
  }
}

describe('damaged files', () => {
  it('are refused and taken exactly as the official library does', async () => {
    const dir = makeTempDir();
    const paths = fc.sample(fuzzedFile, { seed: 11, numRuns: 3000 }).map((bytes, index) => {
      const path = join(dir, `${index}.safetensors`);
      writeFileSync(path, bytes);
      return path;
    });
    const official = await askOfficial<(string | null)[]>('verdicts', { paths });
    const differing = paths.flatMap((path, index) => {
      const theirs = official[index] ?? undefined;
      const ours = verdictOf(path);
      const isSame = (ours === undefined) === (theirs === undefined);
      const isKnown = STRICTER.test(ours ?? '') || UNKNOWN_DTYPE.test(theirs ?? '');
      return isSame || isKnown ? [] : [{ path, ours, theirs }];
    });
    expect(differing).toEqual([]);
    const taken = official.filter((verdict) => verdict === null).length;
    expect(taken).toBeGreaterThan(100);
    expect(official.length - taken).toBeGreaterThan(1000);
  });
});
