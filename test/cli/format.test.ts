import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatTensorType,
} from '../../src/cli/format.js';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [2048, '2.0 KiB'],
  [3.5 * 1024 ** 3, '3.5 GiB'],
])('%f bytes', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [850, '850 µs'],
  [3100, '3.1 ms'],
  [2.4e6, '2.4 s'],
  [185e6, '3 min 5 s'],
])('%f microseconds', (us, text) => {
  expect(formatDuration(us)).toBe(text);
});

test.each([
  [0, '0'],
  [-0, '-0'],
  [0.25, '0.25'],
  [1.3e-6, '1.3e-6'],
  [0.1 + 0.2, '0.3'],
  [123456789, '123456789'],
  [1234567.5, '1.23457e6'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [5e-324, '4.94066e-324'],
])('the number %d', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test('a tensor is named by its type and shape, a hostile rank is cut', () => {
  expect(formatTensorType('float32', [1, 512])).toBe('float32[1,512]');
  expect(formatTensorType('int64', [])).toBe('int64[]');
  expect(formatTensorType('bool', Array<number>(1000).fill(1))).toBe('bool[1,1,1,1,1,1,1,1,…]');
});

test('counts have their plural', () => {
  expect([formatCount(0, 'call'), formatCount(1, 'call'), formatCount(2, 'process', 'processes')]).toEqual([
    '0 calls',
    '1 call',
    '2 processes',
  ]);
});
