import vm from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Storage, Tensor } from '../../../src/core/tensor/index.js';
import { describeHostTensor, hostFromTensor, ValueEncoder } from '../../../src/core/values/index.js';
import { roundTrip } from './round-trip.js';

const bytesOf = (value: ArrayBufferView | ArrayBufferLike) =>
  ArrayBuffer.isView(value)
    ? [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]
    : [...new Uint8Array(value)];

const memory = () => Uint8Array.from({ length: 64 }, (_, index) => index * 3).buffer;

test.each<[value: ArrayBufferView | ArrayBufferLike, dtype: string, host: string, shape: number]>([
  [new Float32Array(memory(), 8, 3), 'float32', 'Float32Array', 3],
  [new Float64Array(memory(), 8, 3), 'float64', 'Float64Array', 3],
  [new Int8Array(memory(), 1, 5), 'int8', 'Int8Array', 5],
  [new Int16Array(memory(), 2, 5), 'int16', 'Int16Array', 5],
  [new Int32Array(memory(), 4, 5), 'int32', 'Int32Array', 5],
  [new BigInt64Array(memory(), 8, 2), 'int64', 'BigInt64Array', 2],
  [new BigUint64Array(memory(), 8, 2), 'uint64', 'BigUint64Array', 2],
  [new Uint8Array(memory(), 3, 7), 'uint8', 'Uint8Array', 7],
  [new Uint8ClampedArray(memory(), 3, 7), 'uint8', 'Uint8ClampedArray', 7],
  [new Uint16Array(memory(), 2, 7), 'uint16', 'Uint16Array', 7],
  [new Uint32Array(memory(), 4, 7), 'uint32', 'Uint32Array', 7],
  [new DataView(memory(), 5, 9), 'uint8', 'DataView', 9],
  [Buffer.from(memory(), 5, 9), 'uint8', 'Buffer', 9],
  [memory(), 'uint8', 'ArrayBuffer', 64],
  [new SharedArrayBuffer(16), 'uint8', 'SharedArrayBuffer', 16],
  [new Float32Array(0), 'float32', 'Float32Array', 0],
  [new ArrayBuffer(0), 'uint8', 'ArrayBuffer', 0],
])('%o is a tensor, and comes back as the same class with the same bytes', (value, dtype, host, shape) => {
  const source = describeHostTensor(value);
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  expect(source).toMatchObject({ dtype, host, shape: [shape], stride: [1], contiguous: true, device: 'cpu' });
  expect(source?.storage).toBe(buffer);
  expect(source?.storageBytes).toBe(buffer.byteLength);
  expect(source?.byteOffset).toBe(ArrayBuffer.isView(value) ? value.byteOffset : 0);
  expect(bytesOf(source?.bytes ?? new Uint8Array())).toEqual(bytesOf(value));

  const [back] = roundTrip([value]).values as [typeof value];
  expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(value));
  expect(bytesOf(back)).toEqual(bytesOf(value));
});

test('a node for a tensor is what FlashInfer writes', () => {
  const encoder = new ValueEncoder();
  expect(encoder.encode([1, { w: new Float32Array(4) }], 'arg_2')).toEqual({
    type: 'list',
    length: 2,
    items: [
      1,
      {
        type: 'dict',
        length: 1,
        items: [
          {
            key: 'w',
            value: {
              type: 'torch.Tensor',
              shape: [4],
              dtype: 'torch.float32',
              stride: [1],
              device: 'cpu',
              requires_grad: false,
              is_contiguous: true,
              tensor_key: 'arg_2__1__value_0',
            },
          },
        ],
        truncated: false,
      },
    ],
    truncated: false,
  });
  expect([...encoder.tensors.keys()]).toEqual(['arg_2__1__value_0']);
});

test('views of one buffer see each other again', () => {
  const buffer = new ArrayBuffer(32);
  const views = [
    new Float32Array(buffer, 0, 4),
    new Uint8Array(buffer, 4, 20),
    new DataView(buffer, 4),
    buffer,
  ];
  const [floats, bytes, view, whole] = roundTrip(views).values as [
    Float32Array,
    Uint8Array,
    DataView,
    ArrayBuffer,
  ];
  floats[1] = 1.5;
  expect(bytes[3]).toBe(0x3f);
  expect(view.getFloat32(0, true)).toBe(1.5);
  expect(new Float32Array(whole)[1]).toBe(1.5);
});

test('a tensor of ours keeps its layout, and shares memory with typed arrays', () => {
  const values = Float32Array.from({ length: 12 }, (_, index) => index);
  const tensor = new Tensor({
    dtype: 'float32',
    shape: [2, 3],
    stride: [1, 4],
    offset: 1,
    storage: new Storage(new Uint8Array(values.buffer)),
  });
  const source = describeHostTensor(tensor);
  expect(source).toMatchObject({
    shape: [2, 3],
    stride: [1, 4],
    byteOffset: 4,
    storageBytes: 48,
    contiguous: false,
    host: 'fir.Tensor',
  });
  expect(source?.storage).toBe(values.buffer);
  expect(source?.bytes.byteLength).toBe(40);

  const [array, back] = roundTrip([values, { tensor }]).values as [Float32Array, { tensor: Tensor }];
  expect([...back.tensor.stride]).toEqual([1, 4]);
  expect(new Float32Array(new Uint8Array(back.tensor.contiguousBytes()).buffer)).toEqual(
    new Float32Array([1, 5, 9, 2, 6, 10]),
  );
  array[1] = 100;
  expect(new DataView(back.tensor.contiguousBytes().slice().buffer).getFloat32(0, true)).toBe(100);
});

test('what is not contiguous or not aligned is copied, with the right values', () => {
  const bytes = new Uint8Array(40);
  new DataView(bytes.buffer).setFloat32(5, 2.5, true);
  const misaligned = Tensor.fromBytes('float32', [2], bytes.subarray(5, 13));
  expect(hostFromTensor('Float32Array', misaligned)).toEqual(new Float32Array([2.5, 0]));
  const matrix = Tensor.from(Int32Array.of(1, 2, 3, 4, 5, 6), 'int32', [2, 3]);
  expect(hostFromTensor('Int32Array', matrix.t())).toEqual(Int32Array.of(1, 4, 2, 5, 3, 6));
  const part = Tensor.from(Uint8Array.of(1, 2, 3, 4)).slice(0, 1, 3);
  expect(hostFromTensor('ArrayBuffer', part)).toEqual(Uint8Array.of(2, 3).buffer);
});

test('a shared buffer comes back as a shared one', () => {
  const back = hostFromTensor('SharedArrayBuffer', Tensor.from(Uint8Array.of(7, 8)));
  expect(back).toBeInstanceOf(SharedArrayBuffer);
  expect([...new Uint8Array(back as SharedArrayBuffer)]).toEqual([7, 8]);
});

test('a host that is unknown, or does not hold that dtype, is refused by name', () => {
  const tensor = Tensor.from(Float32Array.of(1));
  expect(hostFromTensor(undefined, tensor)).toBe(tensor);
  expect(hostFromTensor('fir.Tensor', tensor)).toBe(tensor);
  expect(() => hostFromTensor('onnxruntime.Tensor', tensor)).toThrow(/held by onnxruntime.Tensor/);
  expect(() => hostFromTensor('constructor', tensor)).toThrow(/held by constructor/);
  expect(() => hostFromTensor('Float64Array', tensor)).toThrow("dtype float32 can't be held by Float64Array");
  expect(() => hostFromTensor('Buffer', tensor)).toThrow("can't be held by Buffer");
});

test('float16 arrays are kept where the runtime has them, and refused with the way out where not', () => {
  const tensor = Tensor.fromBytes('float16', [2], Uint8Array.of(0x00, 0x3c, 0x00, 0x40));
  if (!Reflect.has(globalThis, 'Float16Array')) {
    expect(() => hostFromTensor('Float16Array', tensor)).toThrow(/has no Float16Array/);
    return;
  }
  const value = hostFromTensor('Float16Array', tensor);
  expect([...(value as Iterable<number>)]).toEqual([1, 2]);
  expect(describeHostTensor(Object(value))).toMatchObject({ dtype: 'float16', host: 'Float16Array' });
});

test('a detached buffer is a problem, not an error', () => {
  const buffer = new ArrayBuffer(8);
  const values = [new Float32Array(buffer), new DataView(buffer), buffer];
  structuredClone(buffer, { transfer: [buffer] });
  const encoder = new ValueEncoder();
  encoder.encode(values, 'arg_0');
  expect(encoder.problems).toEqual([
    'arg_0[0] is a detached Float32Array',
    'arg_0[1] is a detached DataView',
    'arg_0[2] is a detached ArrayBuffer',
  ]);
  expect(encoder.tensors.size).toBe(0);
  for (const value of values) expect(describeHostTensor(value)).toBeUndefined();
});

test('views of a buffer that changes its size are described as they are now', () => {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  const buffer = new Resizable(16, { maxByteLength: 64 });
  const tracking = new Int32Array(buffer);
  const fixed = new DataView(buffer, 8, 8);
  Reflect.apply(Reflect.get(buffer, 'resize'), buffer, [32]);
  expect(describeHostTensor(tracking)).toMatchObject({ shape: [8], storageBytes: 32 });
  Reflect.apply(Reflect.get(buffer, 'resize'), buffer, [4]);
  expect(describeHostTensor(tracking)).toMatchObject({ shape: [1], storageBytes: 4 });
  expect(describeHostTensor(fixed)).toBeUndefined();
});

test('typed arrays of another realm are ordinary, those of a subclass a problem', () => {
  const encoder = new ValueEncoder();
  encoder.encode(
    vm.runInNewContext('[new Float32Array(2), new ArrayBuffer(1), new DataView(new ArrayBuffer(2))]'),
    'arg_0',
  );
  expect(encoder.problems).toEqual([]);
  expect([...encoder.tensors.values()].map(({ host }) => host)).toEqual([
    'Float32Array',
    'ArrayBuffer',
    'DataView',
  ]);
  class Weights extends Float32Array {
    override get byteLength(): number {
      throw new Error('must not run');
    }
  }
  encoder.encode(new Weights(3), 'arg_1');
  expect(encoder.problems).toEqual(['arg_1 is an object of class Weights']);
  expect(encoder.tensors.get('arg_1')).toMatchObject({ host: 'Float32Array', shape: [3] });
});

test('any view of any buffer comes back with its bytes', () => {
  const views = fc
    .record({ total: fc.nat(64), offset: fc.nat(64), length: fc.nat(64), kind: fc.nat(3) })
    .filter(({ total, offset, length }) => offset + length <= total);
  fc.assert(
    fc.property(
      fc.array(views, { minLength: 1, maxLength: 4 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (all, fill) => {
        const values = all.map(({ total, offset, length, kind }) => {
          const buffer = fill.slice(0, total).buffer;
          if (kind === 0) return Buffer.from(buffer, offset, length);
          if (kind === 1) return new DataView(buffer, offset, length);
          return kind === 2 ? new Int16Array(buffer, offset & ~1, length >> 1) : buffer;
        });
        const { values: back } = roundTrip(values);
        expect((back as typeof values).map(bytesOf)).toEqual(values.map(bytesOf));
      },
    ),
  );
});
