import { truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { entry, faultOf, placeFile, rawFile } from './raw-file.js';

const HEADER = `{${entry('x', 'F32', [64], 0, 256)},${entry('odd', 'U8', [3], 256, 259)}}`;
const DATA = Uint8Array.from({ length: 259 }, (_, index) => index % 251);

describe('SafetensorsFile', () => {
  it('gives bytes that every typed array can view', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    const bytes = file.read('x');
    expect(bytes.byteOffset).toBe(0);
    expect(bytes.buffer.byteLength).toBe(256);
    expect(bytes).toEqual(DATA.subarray(0, 256));
    file.close();
  });

  it('reads a tensor in chunks that end between elements, each in memory of its own', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    const chunks = [...file.chunks('x', 100)];
    expect(chunks.map((chunk) => chunk.length)).toEqual([96, 96, 64]);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(DATA.subarray(0, 256)));
    expect([...file.chunks('odd', 1)]).toEqual([DATA.subarray(256)]);
    file.close();
  });

  it('reads ranges of the file into given memory', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    const begin = file.entries.get('odd')?.begin ?? 0;
    const into = new Uint8Array(8).fill(9);
    expect(file.readRange(begin + 1, begin + 3, into)).toEqual(DATA.subarray(257));
    expect(into).toEqual(Uint8Array.of(6, 7, 9, 9, 9, 9, 9, 9));
    file.close();
  });

  it.each([
    [-1, 4],
    [4, 2],
    [0, 2 ** 40],
    [0.5, 4],
    [0, Number.NaN],
  ])('refuses the range %d to %d', (begin, end) => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    expect(faultOf(() => file.readRange(begin, end)).code).toBe('TENSOR_DATA_MISSING');
    file.close();
  });

  it('refuses memory that is too small for a range', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    expect(faultOf(() => file.readRange(0, 8, new Uint8Array(7))).message).toBe('8 bytes into a buffer of 7');
    file.close();
  });

  it('names a tensor that is not there', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    expect(faultOf(() => file.read('y')).message).toBe('no tensor "y"');
    expect(faultOf(() => [...file.chunks('toString')]).message).toBe('no tensor "toString"');
    file.close();
  });

  it('fails where the file shrinks after it was opened', () => {
    const path = placeFile(rawFile(HEADER, DATA));
    const file = SafetensorsFile.open(path);
    const end = file.entries.get('x')?.end ?? 0;
    truncateSync(path, end - 10);
    const fault = faultOf(() => file.read('x'));
    expect(fault.message).toBe(`the file ended at byte ${end - 10} while it was read: it shrank`);
    expect(fault.where).toBe(path);
    file.close();
  });

  it('can be closed twice, and not read afterwards', () => {
    const file = SafetensorsFile.open(placeFile(rawFile(HEADER, DATA)));
    file.close();
    file.close();
    expect(faultOf(() => file.read('x')).message).toBe('read after close');
  });

  it('takes names that are properties of objects', () => {
    const header = `{${entry('__proto__', 'U8', [1], 0, 1)},${entry('constructor', 'U8', [1], 1, 2)}}`;
    const file = SafetensorsFile.open(placeFile(rawFile(header, Uint8Array.of(1, 2))));
    expect([...file.entries.keys()]).toEqual(['__proto__', 'constructor']);
    expect(file.read('__proto__')).toEqual(Uint8Array.of(1));
    file.close();
  });
});
