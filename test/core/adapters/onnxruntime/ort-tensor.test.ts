import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { describeOrtTensor, ortTensorFrom } from '../../../../src/core/adapters/onnxruntime/ort-tensor.js';
import { encodeFromFloat64 } from '../../../../src/core/dtype/index.js';
import type { DtypeName } from '../../../../src/core/model/dtype.js';
import { Storage, Tensor } from '../../../../src/core/tensor/index.js';

interface OrtTensor {
  type: string;
  dims: number[];
  data: unknown;
  dispose(): void;
}
const ort = createRequire(import.meta.url)('onnxruntime-common') as {
  Tensor: new (type: string, data: unknown, dims?: readonly number[]) => OrtTensor;
} & Record<string, unknown>;

const NUMBERS: DtypeName[] = [
  'float32',
  'float64',
  'float16',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'bool',
];

describe('a tensor of onnxruntime', () => {
  it.each([...NUMBERS, 'uint64', 'int64'] satisfies DtypeName[])(
    'of %s is made from bytes and described as them',
    (dtype) => {
      const bytes = encodeFromFloat64(dtype, Float64Array.of(1, 0, 1, 1));
      const made = ortTensorFrom(ort, Tensor.fromBytes(dtype, [2, 2], bytes), undefined) as OrtTensor;
      expect([made.type, made.dims]).toEqual([dtype, [2, 2]]);
      expect(describeOrtTensor(made)).toMatchObject({
        dtype,
        shape: [2, 2],
        stride: [2, 1],
        bytes,
        host: 'onnxruntime.Tensor',
      });
    },
  );

  it.each(['uint4', 'int4'] as const)('of %s holds two values in a byte, an odd number too', (dtype) => {
    const bytes = Uint8Array.of(0x21, 0x0f);
    const made = ortTensorFrom(ort, Tensor.fromBytes(dtype, [3], bytes), undefined) as OrtTensor;
    expect(made.data).toEqual(bytes);
    expect(describeOrtTensor(made)).toMatchObject({ dtype, shape: [3], bytes });
  });

  it('of strings keeps them, without dimensions and empty too', () => {
    for (const [strings, shape] of [
      [
        ['a', '', 'żółw 🦊', '4'],
        [2, 2],
      ],
      [['a'], []],
      [[], [0, 3]],
    ] as const) {
      const made = ortTensorFrom(
        ort,
        Tensor.fromBytes('uint8', shape, new Uint8Array(strings.length)),
        strings,
      );
      expect(describeOrtTensor(made)).toMatchObject({ dtype: 'string', shape, strings });
    }
  });

  it('shares the memory that it is made over', () => {
    const storage = new Storage(new Uint8Array(32));
    const made = ortTensorFrom(
      ort,
      new Tensor({ dtype: 'float32', shape: [2], offset: 2, storage }),
      undefined,
    );
    storage.bytes.set(new Uint8Array(Float32Array.of(7, 8).buffer), 8);
    expect((made as OrtTensor).data).toEqual(Float32Array.of(7, 8));
    expect(describeOrtTensor(made)).toMatchObject({ storage: storage.bytes.buffer, byteOffset: 8 });
  });

  it('of a copy of onnxruntime-common that is older than 1.16 is known too', () => {
    class Tensor {
      dims = [2];
      type = 'float32';
      size = 2;
      data = Float32Array.of(1, 2);
    }
    expect(describeOrtTensor(new Tensor())).toMatchObject({ dtype: 'float32', shape: [2] });
  });

  it('that was disposed of, or is not what it says, is none', () => {
    const disposed = new ort.Tensor('float32', new Float32Array(2), [2]);
    disposed.dispose();
    const detached = new ort.Tensor('float32', new Float32Array(2), [2]);
    structuredClone(detached.data, { transfer: [(detached.data as Float32Array).buffer as ArrayBuffer] });
    const broken = [
      disposed,
      detached,
      Object.assign(new ort.Tensor('float32', new Float32Array(2), [2]), { dims: [3] }),
      Object.assign(new ort.Tensor('float32', new Float32Array(2), [2]), { dims: [-2] }),
      Object.assign(new ort.Tensor('float32', new Float32Array(2), [2]), { dims: [2 ** 60, 2 ** 60] }),
      Object.assign(new ort.Tensor('float32', new Float32Array(2), [2]), { type: 'float64' }),
      Object.assign(new ort.Tensor('float32', new Float32Array(2), [2]), { type: 'bfloat16' }),
      new ort.Tensor('string', ['a', 1], [2]),
    ];
    for (const tensor of broken) expect(describeOrtTensor(tensor)).toBeUndefined();
  });

  it('is refused in a dtype that the runtime does not have', () => {
    const tensor = Tensor.fromBytes('bfloat16', [1], new Uint8Array(2));
    expect(() => ortTensorFrom(ort, tensor, undefined)).toThrow(
      expect.objectContaining({ code: 'TENSOR_UNSUPPORTED' }),
    );
  });
});
