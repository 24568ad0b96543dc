import fc from 'fast-check';
import { FORMAT_DTYPES } from '../../../src/core/safetensors/dtypes.js';
import type { SafetensorsWrite } from '../../../src/core/safetensors/index.js';

/** Any tensor of the format: every dtype, zero-dimensional and empty shapes, random bytes, keys of any text. */
const anyTensor: fc.Arbitrary<SafetensorsWrite> = fc
  .record({
    dtype: fc.constantFrom(...FORMAT_DTYPES.keys()),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    key: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('__proto__', 'constructor', ''),
    ),
    fill: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  })
  .map(({ dtype, shape, key, fill }) => {
    // A row of 4 makes whole bytes of the elements of 4 and 6 bits.
    const isPacked = dtype.startsWith('F4') || dtype.startsWith('F6');
    const whole = isPacked ? [...shape, 4] : shape;
    const bits = FORMAT_DTYPES.get(dtype)?.bits ?? 8;
    const byteLength = (whole.reduce((product, size) => product * size, 1) * bits) / 8;
    // The official library keeps bytes as they are, but numpy's booleans are 0 and 1.
    const byteAt = (index: number) => (fill[index % fill.length] ?? 0) & (dtype === 'BOOL' ? 1 : 0xff);
    return {
      key,
      dtype,
      shape: whole,
      data: Uint8Array.from({ length: byteLength }, (_, index) => byteAt(index)),
    };
  })
  .filter(({ key }) => key !== '__metadata__');

/** Any file's tensors: keys are different. */
export const anyTensors: fc.Arbitrary<SafetensorsWrite[]> = fc.uniqueArray(anyTensor, {
  maxLength: 12,
  selector: ({ key }) => key,
});

/** One tensor of each dtype of the format, in an order of no meaning. */
export function tensorOfEachDtype(seed: number): SafetensorsWrite[] {
  const [tensors = []] = fc.sample(
    fc.tuple(
      ...[...FORMAT_DTYPES.keys()].map((dtype) => anyTensor.filter((tensor) => tensor.dtype === dtype)),
    ),
    { seed, numRuns: 1 },
  );
  return tensors.map((tensor, index) => ({ ...tensor, key: `${index % 3}:${tensor.dtype}` }));
}
