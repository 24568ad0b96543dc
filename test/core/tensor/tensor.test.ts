import { describe, expect, it } from 'vitest';
import { DTYPES, decodeToFloat64 } from '../../../src/core/dtype/index.js';
import { FirError } from '../../../src/core/errors.js';
import { Storage, Tensor } from '../../../src/core/tensor/index.js';

/** 0 to 5 as two rows of three. */
function matrix(): Tensor {
  return Tensor.from([0, 1, 2, 3, 4, 5], 'float32', [2, 3]);
}

function valuesOf(tensor: Tensor): number[] {
  return [...decodeToFloat64(tensor.dtype, tensor.contiguousBytes())];
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof FirError) return error.code;
    throw error;
  }
  return undefined;
}

describe('making tensors', () => {
  it.each([
    ['float32', [1, 2.5], [1, 2.5]],
    ['bool', [true, false], [1, 0]],
    ['int64', [1n, -1n], [1, -1]],
    ['int8', Int8Array.of(-1), [-1]],
    ['uint8', Uint8ClampedArray.of(255), [255]],
    ['uint64', BigUint64Array.of(7n), [7]],
    ['float64', Float64Array.of(0.1), [0.1]],
  ] as const)('from values that are %s by themselves', (dtype, values, numbers) => {
    const tensor = Tensor.from(values);
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual([values.length]);
    expect(valuesOf(tensor)).toEqual([...numbers]);
  });

  it('from values in another dtype', () => {
    expect(valuesOf(Tensor.from(Float32Array.of(1.9, -1), 'int16'))).toEqual([1, -1]);
    expect([...new BigInt64Array(Tensor.from([2n ** 60n + 1n], 'int64').storage.bytes.buffer)]).toEqual([
      2n ** 60n + 1n,
    ]);
    expect(Tensor.from([1, 2], 'uint64').byteLength).toBe(16);
    expect(() => Tensor.from([1.5], 'int64')).toThrow('1.5 is not an integer');
  });

  it('from a typed array shares its memory', () => {
    const values = Float32Array.of(1, 2, 3);
    const tensor = Tensor.from(values.subarray(1));
    values[1] = 9;
    expect(valuesOf(tensor)).toEqual([9, 3]);
  });

  it('from bytes takes exactly as many as the shape needs', () => {
    expect(Tensor.fromBytes('float16', [2, 2], new Uint8Array(8)).byteLength).toBe(8);
    expect(Tensor.fromBytes('int4', [3], new Uint8Array(2)).byteLength).toBe(2);
    expect(() => Tensor.fromBytes('float16', [2, 2], new Uint8Array(9))).toThrow(
      'shape [2, 2] of float16 takes 8 bytes, not 9',
    );
  });

  it('without dimensions, and empty', () => {
    const scalar = Tensor.from([7], 'float64', []);
    expect([scalar.shape, scalar.stride, scalar.elements, scalar.byteLength]).toEqual([[], [], 1, 8]);
    const empty = Tensor.from([], 'float64', [2, 0, 3]);
    expect([empty.elements, empty.byteLength, empty.isContiguous(), empty.contiguousBytes().length]).toEqual([
      0,
      0,
      true,
      0,
    ]);
  });

  it('keeps shape and stride when the caller changes them later', () => {
    const shape = [2, 2];
    const stride = [2, 1];
    const tensor = new Tensor({ dtype: 'uint8', shape, stride, storage: new Storage(new Uint8Array(4)) });
    shape[0] = 9;
    stride[0] = 9;
    expect([tensor.shape, tensor.stride]).toEqual([
      [2, 2],
      [2, 1],
    ]);
  });
});

describe('layouts that do not fit', () => {
  const storage = new Storage(new Uint8Array(16));

  it.each([
    ['too many elements', { dtype: 'float32', shape: [5] }],
    ['an offset too far', { dtype: 'float32', shape: [4], offset: 1 }],
    ['a stride too wide', { dtype: 'float32', shape: [2], stride: [4] }],
    ['a stride that wraps', { dtype: 'float32', shape: [3], stride: [2 ** 52] }],
    ['a negative stride', { dtype: 'float32', shape: [2], stride: [-1], offset: 1 }],
    ['another number of strides', { dtype: 'float32', shape: [2], stride: [1, 1] }],
    ['a shape past 2^53', { dtype: 'uint8', shape: [2 ** 30, 2 ** 30], stride: [0, 0] }],
    ['too many 4-bit elements', { dtype: 'int4', shape: [33] }],
  ] as const)('refuses %s', (_, layout) => {
    expect(codeOf(() => new Tensor({ ...layout, storage }))).toBe('TENSOR_INVALID');
  });

  it('says where a layout would end', () => {
    expect(() => new Tensor({ dtype: 'float32', shape: [2, 3], stride: [1, 2], storage })).toThrow(
      'shape [2, 3] with stride [1, 2] and offset 0 of float32 reaches byte 24 of a storage of 16 bytes',
    );
  });

  it('refuses strided 4-bit elements, odd starts of them, and strings', () => {
    const strided = { dtype: 'int4', shape: [4], stride: [2], storage } as const;
    expect(codeOf(() => new Tensor(strided))).toBe('TENSOR_UNSUPPORTED');
    expect(codeOf(() => new Tensor({ dtype: 'uint4', shape: [2], offset: 1, storage }))).toBe(
      'TENSOR_UNSUPPORTED',
    );
    expect(codeOf(() => new Tensor({ dtype: 'string', shape: [2], storage }))).toBe('TENSOR_UNSUPPORTED');
    expect(new Tensor({ dtype: 'int4', shape: [3], offset: 2, storage }).contiguousBytes()).toEqual(
      new Uint8Array(2),
    );
  });

  it('refuses to make more values than memory holds out of a few', () => {
    const tensor = new Tensor({ dtype: 'uint8', shape: [2 ** 52], stride: [0], storage });
    expect(codeOf(() => tensor.contiguousBytes())).toBe('TOO_LARGE');
  });
});

describe('views', () => {
  it('transpose', () => {
    const view = matrix().t();
    expect([view.shape, view.stride, view.isContiguous()]).toEqual([[3, 2], [1, 3], false]);
    expect(valuesOf(view)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => Tensor.from([1]).t()).toThrow('t() takes 2 dimensions, not 1');
  });

  it('slice', () => {
    expect(valuesOf(matrix().slice(1, 1, 3))).toEqual([1, 2, 4, 5]);
    expect(valuesOf(matrix().slice(1, 0, 3, 2))).toEqual([0, 2, 3, 5]);
    expect(valuesOf(matrix().slice(0, 1, 2))).toEqual([3, 4, 5]);
    expect(matrix().slice(0, 2, 2).elements).toBe(0);
    expect(() => matrix().slice(0, 0, 3)).toThrow('slice 0:3:1 is not within dimension 0 of size 2');
    expect(() => matrix().slice(0, 1, 0)).toThrow('slice 1:0:1');
    expect(() => matrix().slice(0, 0, 1, 0)).toThrow('slice 0:1:0');
    expect(() => matrix().slice(2, 0, 1)).toThrow('dimension 2 of a tensor of 2 dimensions');
  });

  it('select', () => {
    expect(valuesOf(matrix().select(0, 1))).toEqual([3, 4, 5]);
    expect(valuesOf(matrix().select(1, 2))).toEqual([2, 5]);
    expect(matrix().select(0, 0).select(0, 1).shape).toEqual([]);
    expect(() => matrix().select(0, 2)).toThrow('index 2 is not within dimension 0 of size 2');
  });

  it('expand', () => {
    const row = Tensor.from([1, 2]);
    const view = row.expand([3, 2]);
    expect([view.stride, view.byteLength, view.storage.bytes.length]).toEqual([[0, 1], 24, 8]);
    expect(valuesOf(view)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(valuesOf(Tensor.from([1, 2], 'float32', [2, 1]).expand([2, 3]))).toEqual([1, 1, 1, 2, 2, 2]);
    expect(() => row.expand([3])).toThrow('shape [2] can not expand to [3]');
    expect(() => matrix().expand([3])).toThrow('can not expand');
  });

  it('reshape', () => {
    const tensor = matrix();
    expect(tensor.reshape([3, 2]).storage).toBe(tensor.storage);
    expect(valuesOf(tensor.t().reshape([6]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(tensor.reshape([1, 6, 1]).shape).toEqual([1, 6, 1]);
    expect(() => tensor.reshape([4])).toThrow('shape [2, 3] can not become [4]');
  });

  it('see the writes of each other', () => {
    const tensor = Tensor.from(Float32Array.of(0, 1, 2, 3), 'float32', [2, 2]);
    new Float32Array(tensor.storage.bytes.buffer)[1] = 9;
    expect(valuesOf(tensor.t())).toEqual([0, 2, 9, 3]);
  });

  it('that overlap', () => {
    const storage = new Storage(Uint8Array.of(1, 2, 3, 4));
    const windows = new Tensor({ dtype: 'uint8', shape: [3, 2], stride: [1, 1], storage });
    expect(valuesOf(windows)).toEqual([1, 2, 2, 3, 3, 4]);
  });

  it('keep the device', () => {
    const storage = new Storage(new Uint8Array(4), 'shared');
    const tensor = new Tensor({ dtype: 'uint8', shape: [2, 2], storage, device: 'cuda:1' });
    expect([tensor.t().device, tensor.t().storage.id, Tensor.from([1]).device]).toEqual([
      'cuda:1',
      'shared',
      'cpu',
    ]);
  });
});

describe('contiguousBytes', () => {
  it('is the memory itself where the values lie so', () => {
    const tensor = matrix();
    expect(tensor.contiguousBytes().buffer).toBe(tensor.storage.bytes.buffer);
    expect(tensor.select(0, 1).contiguousBytes().byteOffset).toBe(12);
    expect(tensor.t().contiguousBytes().buffer).not.toBe(tensor.storage.bytes.buffer);
  });

  it('works for every dtype of a fixed size', () => {
    for (const { name, kind, bitsPerElement } of DTYPES.values()) {
      if (kind === 'string' || bitsPerElement === 4) continue;
      const size = bitsPerElement / 8;
      const bytes = Uint8Array.from({ length: 6 * size }, (_, index) => index);
      const view = Tensor.fromBytes(name, [2, 3], bytes).t();
      const expected = [0, 3, 1, 4, 2, 5].flatMap((element) => [
        ...bytes.subarray(element * size, (element + 1) * size),
      ]);
      expect([...view.contiguousBytes()], name).toEqual(expected);
    }
  });
});

describe('isTensor', () => {
  it('goes by the mark, not by the class', () => {
    const foreign = {
      get [Symbol.for('fir.Tensor')]() {
        return true;
      },
    };
    expect([matrix(), foreign].every(Tensor.isTensor)).toBe(true);
    expect([undefined, null, 1, {}, [], Tensor, new Float32Array(1)].some(Tensor.isTensor)).toBe(false);
  });
});
