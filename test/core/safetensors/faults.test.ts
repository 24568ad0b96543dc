import { describe, expect, it } from 'vitest';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { entry, faultOfFile, placeFile, rawFile } from './raw-file.js';

/** What is wrong with a file of these entries over some bytes of data. */
function faultOfEntries(entries: readonly string[], dataBytes: number): string {
  return faultOfFile(rawFile(`{${entries.join(',')}}`, new Uint8Array(dataBytes)));
}

describe('ranges that lie', () => {
  it('names a duplicate tensor', () => {
    const entries = [entry('x', 'F32', [1], 0, 4), entry('x', 'F32', [1], 4, 8)];
    expect(faultOfEntries(entries, 8)).toBe('duplicate tensor name "x" (character 54 of the header)');
  });

  it('names a duplicate that is spelled with an escape', () => {
    const entries = [entry('x', 'U8', [1], 0, 1), entry('x', 'U8', [1], 0, 1).replace('x', '\\u0078')];
    expect(faultOfEntries(entries, 1)).toContain('duplicate tensor name "x"');
  });

  it('names a tensor that overlaps the one before it', () => {
    const entries = [entry('a', 'F32', [2], 0, 8), entry('b', 'F32', [2], 4, 12)];
    expect(faultOfEntries(entries, 12)).toBe(
      'tensor "b": data_offsets overlap: begins at 4, but the tensor before it ends at 8',
    );
  });

  it('names a tensor that is an alias of another', () => {
    const entries = [entry('k', 'F32', [2], 0, 8), entry('v', 'F32', [2], 0, 8)];
    expect(faultOfEntries(entries, 8)).toContain('tensor "v": data_offsets overlap');
  });

  it('names the tensor after a hole', () => {
    const entries = [entry('a', 'F32', [1], 0, 4), entry('b', 'F32', [1], 8, 12)];
    expect(faultOfEntries(entries, 12)).toBe(
      'tensor "b": data_offsets leave a hole: begins at 8, but what is before it ends at 4',
    );
  });

  it('names a first tensor that does not begin at 0', () => {
    expect(faultOfEntries([entry('a', 'F32', [1], 4, 8)], 8)).toContain(
      'tensor "a": data_offsets leave a hole',
    );
  });

  it('names a reversed range', () => {
    const entries = [entry('a', 'F32', [1], 0, 4), entry('b', 'F32', [1], 4, 2)];
    expect(faultOfEntries(entries, 4)).toBe('tensor "b": data_offsets are reversed: 4 to 2');
  });

  it('names a range that reaches past the file', () => {
    expect(faultOfEntries([entry('a', 'F32', [4], 0, 16)], 12)).toBe(
      'tensor "a": ends at byte 16 of 12 bytes of data',
    );
  });

  it('names a range that does not fit shape and dtype', () => {
    expect(faultOfEntries([entry('a', 'F32', [3], 0, 8)], 8)).toBe(
      'tensor "a": shape [3] of F32 takes 12 bytes, but its range has 8',
    );
  });

  it('names an empty range of a tensor that has an element', () => {
    expect(faultOfEntries([entry('a', 'F32', [1], 0, 0)], 0)).toContain('takes 4 bytes, but its range has 0');
  });

  it('names a shape whose size overflows', () => {
    expect(faultOfEntries([entry('a', 'F32', [2 ** 30, 2 ** 30], 0, 4)], 4)).toBe(
      'tensor "a": shape [1073741824, 1073741824] of F32 overflows',
    );
  });

  it('names packed elements that end inside a byte', () => {
    expect(faultOfEntries([entry('a', 'F4', [3], 0, 2)], 2)).toBe(
      'tensor "a": shape [3] of F4 is not whole bytes',
    );
  });

  it('counts the bytes that belong to no tensor', () => {
    expect(faultOfEntries([entry('a', 'U8', [1], 0, 1)], 4)).toBe(
      '3 bytes after the last tensor belong to none',
    );
  });
});

describe('headers that lie', () => {
  const valid = entry('a', 'U8', [1], 0, 1);

  it.each([
    ['text after the object', `{${valid}}x`, 'expected the end, found "x"'],
    ['no end', `{${valid}`, 'expected }, found the end'],
    ['a comma too many', `{${valid},}`, 'expected a string, found "}"'],
    ['a key that has no end', '{"a', 'a string has no end'],
    ['a key with a control character', `{"a\u0001":1}`, 'a string holds a control character'],
    ['a bad escape', '{"a\\q":1}', 'a string holds a bad escape'],
    ['half a surrogate pair', '{"\\ud800":1}', 'a string holds half of a surrogate pair'],
    ['a tensor that is no object', '{"a":[1]}', 'tensor "a": expected {, found "["'],
    ['a tensor without dtype', '{"a":{"shape":[1],"data_offsets":[0,1]}}', 'tensor "a": missing field dtype'],
    [
      'a tensor without shape',
      '{"a":{"dtype":"U8","data_offsets":[0,1]}}',
      'tensor "a": missing field shape',
    ],
    ['a tensor without range', '{"a":{"dtype":"U8","shape":[1]}}', 'tensor "a": missing field data_offsets'],
    [
      'a field twice',
      '{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
      'duplicate field dtype',
    ],
    [
      'a negative size',
      '{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}',
      'tensor "a": expected a whole number',
    ],
    [
      'a fraction',
      '{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}',
      'expected a whole number from 0 on',
    ],
    [
      'an exponent',
      '{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}',
      'expected a whole number from 0 on',
    ],
    [
      'a leading zero',
      '{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}',
      'expected a whole number from 0 on',
    ],
    [
      'a number past 2^53',
      '{"a":{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,1]}}',
      'past 2^53',
    ],
    [
      'one offset',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}',
      'data_offsets has 1 numbers, not 2',
    ],
    [
      'three offsets',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}',
      'data_offsets has 3 numbers',
    ],
    [
      'a dtype that is no text',
      '{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}',
      'tensor "a": expected a string',
    ],
    ['metadata that is no object', '{"__metadata__":[]}', '__metadata__: expected {, found "["'],
    [
      'metadata that is no text',
      '{"__metadata__":{"n":1}}',
      '__metadata__ "n": expected a string, found "1"',
    ],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}', 'duplicate __metadata__'],
    ['a metadata key twice', '{"__metadata__":{"n":"1","n":"2"}}', '__metadata__ "n": duplicate key'],
    ['bare words', '{"a":{"x":NaN}}', 'tensor "a": expected a value, found "N"'],
  ])('refuses %s', (_, header, message) => {
    expect(faultOfFile(rawFile(header, new Uint8Array(1)))).toContain(message);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(faultOfFile(rawFile(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])))).toBe('the header is not UTF-8');
  });

  it('refuses a length past 100 MB', () => {
    const bytes = rawFile('{}');
    bytes.writeBigUInt64LE(100_000_001n);
    expect(faultOfFile(bytes)).toBe('a header of 100000001 bytes is larger than the 100000000 that are read');
  });

  it('calls a file that ends inside its header truncated', () => {
    const whole = rawFile(`{${valid}}`, new Uint8Array(1));
    expect(faultOfFile(whole.subarray(0, 30))).toBe(
      `truncated: a header of ${whole.length - 9} bytes in a file of 30`,
    );
    expect(faultOfFile(whole.subarray(0, 8))).toBe(
      `truncated: a header of ${whole.length - 9} bytes in a file of 8`,
    );
  });

  it('cuts a long name in its message', () => {
    const message = faultOfEntries([entry('x'.repeat(100_000), 'U8', [1], 0, 2)], 2);
    expect(message.length).toBeLessThan(300);
  });
});

describe('files that look odd and are valid', () => {
  it('takes empty tensors at equal offsets', () => {
    const entries = [
      entry('a', 'F32', [0], 0, 0),
      entry('b', 'F32', [2, 0], 0, 0),
      entry('c', 'U8', [1], 0, 1),
    ];
    const file = SafetensorsFile.open(placeFile(rawFile(`{${entries.join(',')}}`, Uint8Array.of(9))));
    expect(file.entries.get('b')?.shape).toEqual([2, 0]);
    expect(file.read('a')).toEqual(new Uint8Array(0));
    expect(file.read('b')).toEqual(new Uint8Array(0));
    expect(file.read('c')).toEqual(Uint8Array.of(9));
    file.close();
  });

  it('takes entries in any order', () => {
    const entries = [entry('z', 'U8', [2], 2, 4), entry('a', 'U8', [2], 0, 2)];
    const file = SafetensorsFile.open(
      placeFile(rawFile(`{${entries.join(',')}}`, Uint8Array.of(1, 2, 3, 4))),
    );
    expect([...file.entries.keys()]).toEqual(['z', 'a']);
    expect(file.read('z')).toEqual(Uint8Array.of(3, 4));
    file.close();
  });

  it.each([
    ['no tensors', '{}', 0],
    [
      'white space around everything',
      ' \n{ "a" : { "shape" : [ 1 ] , "dtype" : "U8" ,\t"data_offsets" : [ 0 , 1 ] } } \r\n',
      1,
    ],
    ['metadata that is null', '{"__metadata__":null}', 0],
    ['metadata after the tensors', `{${entry('a', 'U8', [1], 0, 1)},"__metadata__":{"a":"b"}}`, 1],
    [
      'fields of no meaning',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{"y":[1,-2.5e3,{"z":null}],"w":"\\""}}}',
      1,
    ],
    ['a zero-dimensional tensor', `{${entry('a', 'U8', [], 0, 1)}}`, 1],
    ['an empty tensor with a large dimension', `{${entry('a', 'U8', [0, 2 ** 52], 0, 0)}}`, 0],
  ])('takes %s', (_, header, dataBytes) => {
    const file = SafetensorsFile.open(placeFile(rawFile(header, new Uint8Array(dataBytes))));
    expect(file.entries.size).toBe(header.includes('"a"') && header.includes('dtype') ? 1 : 0);
    file.close();
  });
});
