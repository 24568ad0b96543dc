import { describe, expect, it } from 'vitest';
import {
  contiguousStride,
  elementCount,
  extentOf,
  formatSizes,
  isContiguousLayout,
} from '../../../src/core/tensor/index.js';

const MAX = Number.MAX_SAFE_INTEGER;

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[0], 0],
    [[2, 3], 6],
    [[2, 0, 3], 0],
    [[MAX], MAX],
    [[2 ** 52, 0, 2 ** 52], 0],
    [[...new Array(30).fill(2 ** 52), 0], 0],
  ])('of %j is %d', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });

  it.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 53]], [[0, -1]]])('refuses %j', (shape) => {
    expect(() => elementCount(shape)).toThrow('has a dimension that is not a count');
  });

  it('refuses more than 2^53 elements', () => {
    expect(() => elementCount([2 ** 27, 2 ** 27])).toThrow(
      'shape [134217728, 134217728] has more than 2^53 elements',
    );
  });
});

describe('contiguousStride', () => {
  it.each([
    [[], []],
    [[5], [1]],
    [
      [2, 3, 4],
      [12, 4, 1],
    ],
    [
      [2, 0, 4],
      [4, 4, 1],
    ],
  ])('of %j is %j', (shape, stride) => {
    expect(contiguousStride(shape)).toEqual(stride);
  });

  it('refuses strides past 2^53', () => {
    expect(() => contiguousStride([0, 2 ** 30, 2 ** 30])).toThrow('has strides past 2^53');
  });
});

describe('isContiguousLayout', () => {
  it.each([
    [[], [], true],
    [[2, 3], [3, 1], true],
    [[2, 3], [1, 2], false],
    [[1, 3], [99, 1], true],
    [[3, 1], [1, 99], true],
    [[3], [0], false],
    [[0, 3], [7, 7], true],
    [[2, 2], [3, 1], false],
  ])('of shape %j and stride %j is %s', (shape, stride, expected) => {
    expect(isContiguousLayout(shape, stride)).toBe(expected);
  });
});

describe('extentOf', () => {
  it.each([
    [[2, 3], [3, 1], 0, { low: 0, high: 5 }],
    [[2, 3], [1, 2], 10, { low: 10, high: 15 }],
    [[4, 2], [0, 1], 3, { low: 3, high: 4 }],
    [[], [], 7, { low: 7, high: 7 }],
    [[0, 3], [3, 1], 7, undefined],
    [[1], [MAX], MAX, { low: MAX, high: MAX }],
  ])('of shape %j, stride %j and offset %d', (shape, stride, offset, extent) => {
    expect(extentOf(shape, stride, offset)).toEqual(extent);
  });

  it.each([
    [[2], [-1], 0, 'is not a count'],
    [[2], [0.5], 0, 'is not a count'],
    [[2], [1], -1, 'is not a count'],
    [[2], [1], Number.NaN, 'is not a count'],
    [[2], [1, 1], 0, '1 dimensions, but 2 strides'],
    [[2], [MAX], 1, 'reaches past 2^53 elements'],
    [[2 ** 30], [2 ** 30], 0, 'reaches past 2^53 elements'],
    [[2, 2, 2], [MAX, MAX, MAX], MAX, 'reaches past 2^53 elements'],
  ])('refuses shape %j, stride %j and offset %d', (shape, stride, offset, message) => {
    expect(() => extentOf(shape, stride, offset)).toThrow(message);
  });
});

describe('formatSizes', () => {
  it('cuts what is long', () => {
    expect(formatSizes([])).toBe('[]');
    expect(formatSizes([2, 3])).toBe('[2, 3]');
    expect(formatSizes(new Array(1_000_000).fill(1)).length).toBeLessThan(120);
  });
});
