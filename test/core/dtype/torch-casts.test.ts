import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeToFloat64, dtypeOf, encodeFromFloat64 } from '../../../src/core/dtype/index.js';

/**
 * Codes that `tensor.to(dtype)` of the named torch version gives for float64 values (as hexadecimal bits): ties,
 * neighbours of ties, limits, subnormals, values that round to float32 first.
 */
const GOLDEN = JSON.parse(readFileSync(new URL('torch-casts.json', import.meta.url), 'utf8')) as {
  torch: string;
  values: string;
  codes: Record<string, string>;
};

const VALUES = new Float64Array(
  BigUint64Array.from(GOLDEN.values.split(' '), (bits) => BigInt(`0x${bits}`)).buffer,
);

describe(`casts as torch ${GOLDEN.torch} does them`, () => {
  it.each(Object.entries(GOLDEN.codes))('to %s', (name, codes) => {
    const dtype = dtypeOf(name).name;
    const encoded = encodeFromFloat64(dtype, VALUES);
    const bytes = dtypeOf(dtype).bitsPerElement / 8;
    const theirs = Buffer.concat(codes.split(' ').map((code) => Buffer.from(code, 'hex').reverse()));
    expect(decodeToFloat64(dtype, encoded)).toEqual(decodeToFloat64(dtype, theirs));
    const numbers = [...VALUES.keys()].filter((index) => !Number.isNaN(VALUES[index]));
    const codeAt = (from: Uint8Array, index: number) => [
      ...from.subarray(index * bytes, (index + 1) * bytes),
    ];
    expect(numbers.map((index) => codeAt(encoded, index))).toEqual(
      numbers.map((index) => codeAt(theirs, index)),
    );
  });
});
