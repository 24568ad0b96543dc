import { expect, test } from 'vitest';
import { stringifyJson } from '../../../src/core/json/index.js';
import { decodeValue, ValueEncoder } from '../../../src/core/values/index.js';
import { roundTrip } from './round-trip.js';

function nest(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) value = { inner: [value] };
  return value;
}

function expectCut(value: unknown, problem: RegExp): void {
  const encoder = new ValueEncoder();
  const encoded = encoder.encode(value, 'arg_0');
  expect(encoder.truncated).toBe(true);
  expect(encoder.problems).toHaveLength(1);
  expect(encoder.problems[0]).toMatch(problem);
  expect(stringifyJson(encoded).length).toBeLessThan(2 ** 29 - 24);
  expect(() => decodeValue(encoded, { tensor: () => 0 })).toThrow(/cut when it was recorded/);
}

test('512 containers inside one another are kept, 513 are cut', () => {
  expect(roundTrip([nest(256)]).values[0]).toEqual(nest(256));
  expectCut([nest(256)], /^arg_0\[0\]\.inner\[0\].*… is nested more than 512 deep$/);
  expectCut(nest(100_000), /nested more than 512 deep/);
});

test('a million values are kept, more are cut', () => {
  const values = new Array(999_999).fill(1);
  expect(roundTrip([values]).encoder.truncated).toBe(false);
  const more = Array.from({ length: 1000 }, (_, index) => index);
  const most = values.slice(0, 999_000);
  for (const rest of [more, new Set(more), new Map(more.map((key) => [key, 1])), { ...more }]) {
    const encoder = new ValueEncoder();
    encoder.encode(most, 'arg_0');
    expect(encoder.truncated).toBe(false);
    expect(encoder.encode({ rest }, 'arg_1')).toMatchObject({
      items: [{ key: 'rest', value: { truncated: true } }],
    });
    expect(encoder.problems).toEqual(['arg_1.rest is too large to be kept whole']);
  }
  expectCut(new Array(2 ** 32 - 1), /^arg_0 is too large/);
});

test('long strings and bigints are cut, and many of them too', () => {
  const long = 'x'.repeat(16 * 1024 * 1024);
  expect(roundTrip([long]).values[0]).toBe(long);
  expectCut(`${long}x`, /^arg_0 is a string of 16777217 characters$/);
  expectCut({ [`${long}x`]: 1 }, /is a string of 16777217 characters$/);
  expectCut(
    Array.from({ length: 1000 }, () => long),
    /too large/,
  );
  expectCut(1n << 1_000_000_000n, /a bigint of too many digits/);
  expectCut(new Error(`${long}x`), /is a string of 16777217 characters$/);
  const digits = BigInt('9'.repeat(99_999));
  expect(roundTrip([digits]).values[0]).toBe(digits);
});

test('many tensors far down, whose keys are long, end in bounded time and space', () => {
  const array = new Uint8Array(1);
  let value: unknown = Array.from({ length: 900_000 }, () => array);
  for (let level = 0; level < 500; level += 1) value = [value];
  const encoder = new ValueEncoder();
  encoder.encode(value, 'arg_0');
  expect(encoder.truncated).toBe(true);
  expect(encoder.tensors.size).toBeLessThan(50_000);
});
