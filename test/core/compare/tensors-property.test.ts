import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareTensors } from '../../../src/core/compare/index.js';
import type { NanRule } from '../../../src/core/model/tolerance.js';
import type { OutputComparison } from '../../../src/core/model/verdict.js';
import { Storage, scatterContiguous, Tensor } from '../../../src/core/tensor/index.js';
import { compareNaively, FORMATS, type Format, type NaiveFigures } from './naive.js';

const RULES = [
  { rtol: 0, atol: 0 },
  { rtol: 1e-3, atol: 1e-5 },
  { rtol: 0.5, atol: 10 },
];

/** Two buffers of which many elements are equal, near or of unlucky bit patterns. */
function pairOfBytes(format: Format, elements: number): fc.Arbitrary<[Uint8Array, Uint8Array]> {
  const one = fc.uint8Array({ minLength: format.bytes, maxLength: format.bytes });
  const element = fc.oneof(
    one.map((bytes) => [bytes, bytes]),
    one.map((bytes) => [bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)), bytes]),
    one.map((bytes) => [bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 0x80 : byte)), bytes]),
    fc
      .constantFrom(0x00, 0x7f, 0xff, 0x80)
      .map((byte) => [new Uint8Array(format.bytes).fill(byte), new Uint8Array(format.bytes)]),
    infinities(format).map(([a, e]) => [a, e]),
    fc.tuple(one, one),
  );
  return fc
    .array(element, { minLength: elements, maxLength: elements })
    .map((pairs) => [
      new Uint8Array(Buffer.concat(pairs.map(([a]) => a as Uint8Array))),
      new Uint8Array(Buffer.concat(pairs.map(([, e]) => e as Uint8Array))),
    ]);
}

/** Infinity of either sign as float32 and float64 have it; plain numbers in the other formats. */
function infinities(format: Format): fc.Arbitrary<Uint8Array[]> {
  const of = (sign: number) => {
    const values = format.bytes === 8 ? Float64Array.of(sign / 0) : Float32Array.of(sign / 0);
    return new Uint8Array(values.buffer).slice(-format.bytes);
  };
  return fc.array(fc.constantFrom(of(1), of(-1)), { minLength: 2, maxLength: 2 });
}

/** The same values behind a layout that is not contiguous. */
function strided(tensor: Tensor): Tensor {
  const { dtype, shape, stride } = tensor;
  const layout = { dtype, shape, stride: stride.map((step) => step * 2), offset: 1 };
  const bytes = new Uint8Array((tensor.byteLength / tensor.elements) * (tensor.elements * 2 + 1));
  scatterContiguous(bytes, layout, tensor.contiguousBytes());
  return new Tensor({ ...layout, storage: new Storage(bytes) });
}

function expectSame(comparison: OutputComparison, naive: NaiveFigures, format: Format): void {
  const isFloat = format.place !== undefined;
  expect(comparison).toMatchObject({
    mismatched: naive.mismatched,
    verdict: naive.mismatched ? 'mismatch' : 'pass',
  });
  expect(comparison.nan).toBe(isFloat ? naive.nan : undefined);
  expect(comparison.inf).toBe(isFloat ? naive.inf : undefined);
  expect(comparison.maxUlp).toBe(naive.maxUlp);
  expect(comparison.maxAbs?.value).toBe(naive.maxAbs?.value);
  expect(flatIndex(comparison, comparison.maxAbs?.index)).toBe(naive.maxAbs?.at);
  expect(comparison.maxRel?.value).toBe(naive.maxRel?.value);
  expect(flatIndex(comparison, comparison.maxRel?.index)).toBe(naive.maxRel?.at);
  if (naive.maxAbs?.value === 0) expect([comparison.rmse, comparison.cosine]).toEqual([0, 1]);
  else {
    expectClose(comparison.rmse, naive.rmse, 1e-12 * (naive.rmse ?? 0));
    expectClose(comparison.cosine, naive.cosine, 1e-12);
  }
}

function expectClose(actual: number | undefined, naive: number | undefined, slack: number): void {
  if (naive === undefined || actual === undefined) expect(actual).toBe(naive);
  else if (naive !== actual) expect(Math.abs(actual - naive)).toBeLessThanOrEqual(slack);
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function flatIndex(comparison: OutputComparison, index: number[] | undefined): number | undefined {
  return index?.reduce((at, i, dim) => at * (comparison.shape?.[dim] ?? 1) + i, 0);
}

describe.each(FORMATS)('$dtype agrees with the plain implementation', (format) => {
  test('in every layout', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
    const cases = shapes.chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        bytes: pairOfBytes(
          format,
          shape.reduce((count, size) => count * size, 1),
        ),
        rule: fc.constantFrom(...RULES),
        nan: fc.constantFrom<NanRule[]>('equal', 'unequal'),
        layouts: fc.tuple(fc.boolean(), fc.boolean()),
      }),
    );
    fc.assert(
      fc.property(cases, ({ shape, bytes, rule, nan, layouts }) => {
        const [actual, expected] = bytes.map((data, i) => {
          const tensor = Tensor.fromBytes(format.dtype, shape, data);
          return layouts[i] ? strided(tensor) : tensor;
        }) as [Tensor, Tensor];
        const exact = format.place === undefined ? { rtol: 0, atol: 0 } : rule;
        const comparison = compareTensors('result', actual, expected, { ...rule, source: 'test' }, { nan });
        expectSame(comparison, compareNaively(format, ...bytes, { ...exact, nan }), format);
      }),
      { numRuns: 150 },
    );
  });
});

describe('tensors of many blocks', () => {
  const [float64, float32] = FORMATS as [Format, Format];

  test.each([
    [float32, [200_001]],
    [float32, [3, 70_001]],
    [float64, [2, 3, 30_000]],
    [float64, [70_001, 3]],
  ] as const)('%o', (format, shape) => {
    const elements = shape.reduce((count, size) => count * size, 1);
    const expectedValues = Float64Array.from({ length: elements }, (_, i) => Math.sin(i) * 10);
    const actualValues = expectedValues.map((value, i) => (i % 1000 === 7 ? value * 1.001 : value));
    for (const at of [0, 65_535, 65_536, 131_071, elements - 1]) actualValues[at] = Number.NaN;
    actualValues[65_537] = 42;
    expectedValues[131_072] = -43;
    const [actual, expected] = [actualValues, expectedValues].map((values) =>
      Tensor.from(values, format.dtype, [...shape]),
    ) as [Tensor, Tensor];
    const rule = { rtol: 1e-5, atol: 0, nan: 'equal' } as const;
    const naive = compareNaively(format, actual.contiguousBytes(), expected.contiguousBytes(), rule);
    for (const pair of [
      [actual, expected],
      [strided(actual), expected],
      [actual, strided(expected)],
    ] as const) {
      expectSame(
        compareTensors('result', ...pair, { ...rule, source: 'test' }, { nan: 'equal' }),
        naive,
        format,
      );
    }
  });
});

test('64-bit integers agree with differences of bigints', () => {
  const edge = fc.constantFrom(0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n);
  const word = fc.oneof(edge, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  const pair = fc.oneof(
    word.map((e) => [e, e]),
    fc.tuple(word, fc.bigInt({ min: 0n, max: 3n })).map(([e, step]) => [BigInt.asUintN(64, e + step), e]),
    fc.tuple(word, word),
  );
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 12 }), fc.boolean(), (pairs, isSigned) => {
      const wrap = (value: bigint) => (isSigned ? BigInt.asIntN(64, value) : value);
      const actual = pairs.map(([a = 0n]) => wrap(a));
      const expected = pairs.map(([, e = 0n]) => wrap(e));
      const differences = actual.map((a, i) => absolute(a - (expected[i] ?? 0n)));
      const [greatest = 0n] = differences.toSorted((left, right) => (left < right ? 1 : -1));
      const at = differences.indexOf(greatest);
      const dtype = isSigned ? 'int64' : 'uint64';
      const comparison = compareTensors(
        'result',
        Tensor.from(actual, dtype),
        Tensor.from(expected, dtype),
        { rtol: 0.5, atol: 5, source: 'test' },
        { nan: 'equal' },
      );
      expect(comparison.mismatched).toBe(differences.filter((difference) => difference !== 0n).length);
      expect(comparison.maxAbs).toEqual({
        value: Number(greatest),
        index: [at],
        actual: actual[at],
        expected: expected[at],
      });
    }),
    { numRuns: 500 },
  );
});
