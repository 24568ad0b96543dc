import { describe, expect, it } from 'vitest';
import { decodeToFloat64, dtypeFromSafetensors } from '../../../src/core/dtype/index.js';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { entry, placeFile, rawFile } from './raw-file.js';

/** The values of a file of one tensor `x`. */
function valuesOf(dtype: string, shape: readonly number[], data: readonly number[]): number[] {
  const header = `{${entry('x', dtype, shape, 0, data.length)}}`;
  const file = SafetensorsFile.open(placeFile(rawFile(header, Uint8Array.from(data))));
  const name = dtypeFromSafetensors(dtype)?.name;
  if (name === undefined) throw new Error(`${dtype} is unknown`);
  const values = decodeToFloat64(name, file.read('x'));
  file.close();
  return [...values];
}

describe('small dtypes', () => {
  it('reads F4 as two values a byte, low half first', () => {
    const data = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe];
    const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
    expect(valuesOf('F4', [2, 8], data)).toEqual([...positive, ...positive.map((value) => -value)]);
  });

  it('reads F8_E8M0 as powers of two', () => {
    expect(valuesOf('F8_E8M0', [5], [0x7e, 0x7f, 0x80, 0xff, 0x00])).toEqual([
      0.5,
      1,
      2,
      Number.NaN,
      2 ** -127,
    ]);
  });

  it('reads F8_E4M3 with its NaN and its negative zero', () => {
    expect(valuesOf('F8_E4M3', [5], [0x38, 0x39, 0x7e, 0x7f, 0x80])).toEqual([1, 1.125, 448, Number.NaN, -0]);
  });

  it('reads BF16', () => {
    expect(valuesOf('BF16', [3], [0x80, 0x3f, 0x00, 0x80, 0xc0, 0x7f])).toEqual([1, -0, Number.NaN]);
  });
});

describe('dtypes of no known meaning', () => {
  it('lists them with their range and reads the others', () => {
    const header = `{${[
      entry('a', 'U8', [2], 0, 2),
      entry('odd', 'F6_X', [3], 2, 7),
      entry('z', 'U8', [1], 7, 8),
    ].join(',')}}`;
    const file = SafetensorsFile.open(placeFile(rawFile(header, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))));
    const begin = 8 + header.length;
    expect(file.unknownDtypes).toEqual([
      { key: 'odd', dtype: 'F6_X', shape: [3], begin: begin + 2, end: begin + 7 },
    ]);
    expect(file.read('odd')).toEqual(Uint8Array.of(3, 4, 5, 6, 7));
    expect(file.read('z')).toEqual(Uint8Array.of(8));
    file.close();
  });

  it('still holds 6-bit elements against their size', () => {
    const header = `{${entry('six', 'F6_E3M2', [4], 0, 3)}}`;
    const file = SafetensorsFile.open(placeFile(rawFile(header, new Uint8Array(3))));
    expect(file.unknownDtypes.map(({ key }) => key)).toEqual(['six']);
    file.close();
  });
});
