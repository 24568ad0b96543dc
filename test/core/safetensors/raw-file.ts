import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../../../src/core/errors.js';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** The bytes of a file with this header, well-formed or not, and these data. */
export function rawFile(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** One entry of a header: `"x":{…}`. */
export function entry(
  key: string,
  dtype: string,
  shape: readonly number[],
  begin: number,
  end: number,
): string {
  return `${JSON.stringify(key)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
}

/** Puts bytes into a file that goes away with the test. */
export function placeFile(bytes: Uint8Array, name = 'tensors.safetensors'): string {
  const path = join(makeTempDir(), name);
  writeFileSync(path, bytes);
  return path;
}

/** The FirError that an action throws. */
export function faultOf(action: () => unknown): FirError {
  try {
    action();
  } catch (error) {
    if (error instanceof FirError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** What opening these bytes as a file says is wrong. */
export function faultOfFile(bytes: Uint8Array): string {
  const path = placeFile(bytes);
  const fault = faultOf(() => SafetensorsFile.open(path));
  if (fault.code !== 'SAFETENSORS_INVALID' || fault.where !== path) throw fault;
  return fault.message;
}
