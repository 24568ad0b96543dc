import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeSafetensorsHeader,
  SafetensorsFile,
  type SafetensorsWrite,
  writeSafetensors,
} from '../../../src/core/safetensors/index.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { anyTensors } from './random-tensors.js';
import { faultOf } from './raw-file.js';

function tensor(key: string, dtype = 'U8', shape: readonly number[] = [1], bytes = 1): SafetensorsWrite {
  return { key, dtype, shape, data: new Uint8Array(bytes) };
}

describe('encodeSafetensorsHeader', () => {
  it('orders tensors by alignment, then by key, and pads the header to 8 bytes', () => {
    const tensors = [
      tensor('b', 'BOOL'),
      tensor('x', 'F32', [1], 4),
      tensor('a', 'BOOL'),
      tensor('i', 'I64', [], 8),
      tensor('h', 'BF16', [1, 2], 4),
    ];
    const { header, ordered } = encodeSafetensorsHeader(tensors);
    expect(ordered.map(({ key }) => key)).toEqual(['i', 'x', 'h', 'a', 'b']);
    expect(header.length % 8).toBe(0);
    const text = Buffer.from(header).subarray(8).toString();
    expect(text.trimEnd()).toBe(
      '{"i":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
        '"x":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},' +
        '"h":{"dtype":"BF16","shape":[1,2],"data_offsets":[12,16]},' +
        '"a":{"dtype":"BOOL","shape":[1],"data_offsets":[16,17]},' +
        '"b":{"dtype":"BOOL","shape":[1],"data_offsets":[17,18]}}',
    );
    expect(Buffer.from(header).readBigUInt64LE()).toBe(BigInt(text.length));
  });

  it('orders keys by their UTF-8 bytes', () => {
    const { ordered } = encodeSafetensorsHeader([
      tensor('\u{1f600}'),
      tensor('\uff5e'),
      tensor('é'),
      tensor('z'),
    ]);
    expect(ordered.map(({ key }) => key)).toEqual(['z', 'é', '\uff5e', '\u{1f600}']);
  });

  it.each([
    [
      'a key twice',
      [tensor('x'), tensor('x', 'F32', [1], 4)],
      'can not write tensor "x": duplicate tensor name',
    ],
    [
      'the reserved key',
      [tensor('__metadata__')],
      'can not write tensor "__metadata__": the name is reserved',
    ],
    ['a dtype of no reader', [tensor('x', 'C128', [1], 16)], "dtype C128 is not one of the format's"],
    ['data of another size', [tensor('x', 'F32', [2], 4)], 'shape [2] of F32 does not take 4 bytes'],
    ['half a byte', [tensor('x', 'F4', [3], 2)], 'shape [3] of F4 does not take 2 bytes'],
    ['half a surrogate pair', [tensor('x\ud800')], 'it is not well-formed Unicode'],
  ])('refuses %s', (_, tensors, message) => {
    const fault = faultOf(() => encodeSafetensorsHeader(tensors));
    expect(fault.code).toBe('TENSOR_INVALID');
    expect(fault.message).toContain(message);
  });

  it('refuses metadata that is not Unicode, and takes text that only looks so', () => {
    expect(faultOf(() => encodeSafetensorsHeader([], { x: '\udfff' })).code).toBe('TENSOR_INVALID');
    expect(Buffer.from(encodeSafetensorsHeader([], { x: '\\ud800' }).header).toString()).toContain(
      '\\\\ud800',
    );
  });

  it('refuses a header that no reader would take', () => {
    const long = 'k'.repeat(2 ** 20);
    const tensors = Array.from({ length: 100 }, (_, index) => tensor(`${index}${long}`));
    const fault = faultOf(() => encodeSafetensorsHeader(tensors));
    expect(fault.code).toBe('TOO_LARGE');
    expect(fault.hint).toBe('spread the tensors over several files');
  });
});

describe('writeSafetensors', () => {
  it('reads back what was written', () => {
    const dir = makeTempDir();
    fc.assert(
      fc.property(anyTensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const path = join(dir, 'x.safetensors');
        const bytes = writeSafetensors(path, tensors, metadata);
        expect(statSync(path).size).toBe(bytes);
        const file = SafetensorsFile.open(path);
        expect(file.entries.size).toBe(tensors.length);
        for (const { key, dtype, shape, data } of tensors) {
          expect(file.entries.get(key)).toMatchObject({ key, dtype, shape });
          expect(file.read(key)).toEqual(data);
        }
        expect([...file.metadata].sort()).toEqual(Object.entries(metadata).sort());
        file.close();
      }),
      { numRuns: 60 },
    );
  });

  it('joins data that come in pieces', () => {
    const path = join(makeTempDir(), 'x.safetensors');
    const pieces = Array.from({ length: 3000 }, (_, index) => Uint8Array.of(index & 0xff, index >> 8));
    writeSafetensors(path, [{ key: 'x', dtype: 'U16', shape: [3000], data: pieces }]);
    const file = SafetensorsFile.open(path);
    expect(file.read('x')).toEqual(new Uint8Array(Buffer.concat(pieces)));
    file.close();
  });

  it('replaces a file at once, for its owner only, and leaves nothing beside it', () => {
    const dir = makeTempDir();
    const path = join(dir, 'x.safetensors');
    writeFileSync(path, 'before', { mode: 0o644 });
    writeSafetensors(path, [tensor('x')]);
    expect(readdirSync(dir)).toEqual(['x.safetensors']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('leaves the file that was there, and nothing beside it, when it fails', () => {
    const dir = makeTempDir();
    const path = join(dir, 'x.safetensors');
    writeFileSync(path, 'before');
    expect(() => writeSafetensors(path, [tensor('x', 'F32', [1], 3)])).toThrow();
    expect(() => writeSafetensors(dir, [tensor('x')])).toThrow();
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(dir)).toEqual(['x.safetensors']);
  });
});
