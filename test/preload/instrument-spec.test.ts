import { expect, it } from 'vitest';
import { splitInstrumentSpec } from '../../src/preload/instrument-spec.js';

it.each([
  ['/a/kernels.js#gemm', '/a/kernels.js', ['gemm']],
  ['/a/ker#nels.js#gemm, Attention ,,default', '/a/ker#nels.js', ['gemm', 'Attention', 'default']],
  ['some-package#run', 'some-package', ['run']],
  ['some-package', 'some-package', []],
])('splits %s', (spec, target, exports) => {
  expect(splitInstrumentSpec(spec)).toEqual({ target, exports });
});
