import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { whyNotRebuildable } from '../../../src/core/flashinfer/index.js';
import { pythonWithTorch } from '../../support/python.js';

describe('a value of which the record holds its text', () => {
  it.each([
    ['device', 'cuda:3'],
    ['Size', 'torch.Size([])'],
    ['dtype', 'torch.float8_e4m3fn'],
    ['layout', 'torch.strided'],
    ['memory_format', 'torch.channels_last'],
    ['ellipsis', 'Ellipsis'],
    ['complex', '(-0-infj)'],
    ['complex', 'nanj'],
    ['bytes', `b"it's"`],
    ['bytearray', String.raw`bytearray(b'\x00\\')`],
    ['range', 'range(3, -9, -2)'],
    ['slice', 'slice(None, -1, None)'],
    ['set', "{1, 'a', (2.5, None), b'x', -1e-05, 1+2j}"],
    ['set', 'set()'],
    ['frozenset', 'frozenset()'],
    ['frozenset', 'frozenset({True, ()})'],
    ['complex64', '(1+2j)'],
    ['longdouble', '0.1'],
    ['list', "[1, [2, {'a': (3,)}]]"],
    ['dict', '{}'],
    ['int64', '-5'],
    ['uint8', '255'],
    ['float16', 'nan'],
    ['float32', '-1e-07'],
    ['float32', '1.'],
    ['bool_', 'True'],
    ['BatchDecodeWrapper', '<flashinfer.decode.BatchDecodeWrapper object at 0x7f3a5819f950>'],
    ['Local', '<app.make.<locals>.Local object at 0x10>'],
  ])('of %s: %s can be made again', (type, repr) => {
    expect(whyNotRebuildable(type, repr)).toBeUndefined();
  });

  it.each([
    ['function', '<function scale at 0x7f3a5819f950>'],
    ['Generator', '<torch._C.Generator object at 0x7f3a5819f950>'],
    ['set', '{<DemoMode.SUM: 1>}'],
    ['set', '{frozenset({1})}'],
    ['set', '{Ellipsis}'],
    ['set', '{nan}'],
    ['frozenset', 'frozenset([1])'],
    ['set', '{1'],
    ['set', '{1: 2, 3}'],
    ['list', '[__import__("os")]'],
    ['slice', 'slice(tensor(1), None, None)'],
    ['range', 'range(x)'],
    ['bytes', 'b"a" + b"b"'],
    ['bytearray', 'bytearray(4)'],
    ['device', 'cuda:0; import os'],
    ['Size', 'torch.Size([a])'],
    ['float32', '1.0.0'],
    ['int32', '0x10'],
    ['dtype', 'torch.float16()'],
    ['Namespace', 'Namespace(a=1)'],
    ['Fraction', '1/3'],
    ['constructor', '1'],
    ['__proto__', '1'],
    ['set', '<not serializable>'],
    ['tuple', `${'('.repeat(200)}1${',)'.repeat(200)}`],
  ])('of %s: %s is only described', (type, repr) => {
    expect(whyNotRebuildable(type, repr)).toBe(`a ${type} is only described, not recorded`);
  });

  it('was cut at 1000 characters, however many bytes they are', () => {
    const reason = 'a bytes was cut short by the recorder';
    expect(whyNotRebuildable('bytes', `b'${'x'.repeat(997)}'`)).toBe(reason);
    expect(whyNotRebuildable('bytes', `b'${'x'.repeat(996)}'`)).toBeUndefined();
    expect(whyNotRebuildable('set', `{'${'😀'.repeat(600)}'}`)).toBeUndefined();
  });

  it('is what Python prints of such values', async () => {
    const program = `
import json, torch
values = [torch.device('cpu'), torch.device('cuda', 1), 1j, -1-2.5j, complex('nan'), complex(-0.0, float('inf')),
  complex(1e300, 1e-7), b"'", b'"', b'\\'"\\n\\x00\\\\', bytearray(b'\\xff'), range(4), range(1, 9, 3), slice(3),
  slice(None, None, -1), slice('a', b'b', 1.5), set(), {1}, {'a"', "b'", (1, (2,)), None, True, 1e22, 1e-7},
  frozenset(), frozenset([1, (2,)]), torch.float16, torch.strided, torch.contiguous_format, ...,
  {1: [2, ()], 'k': {}}]
print(json.dumps([[type(v).__name__, str(v)] for v in values]))`;
    const { stdout } = await promisify(execFile)(await pythonWithTorch(), ['-c', program]);
    const printed: [string, string][] = JSON.parse(stdout);
    expect(printed).toHaveLength(26);
    expect(printed.filter(([type, repr]) => whyNotRebuildable(type, repr) !== undefined)).toEqual([]);
  });
});
