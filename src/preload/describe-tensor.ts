import { ADAPTERS } from '../core/adapters/index.js';
import type { TensorSource } from '../core/model/tensor.js';
import { describeHostTensor } from '../core/values/index.js';

/** A tensor of a library that an adapter knows, or of JavaScript's own kinds; undefined for anything else. */
export function describeTensor(value: object): TensorSource | undefined {
  for (const adapter of ADAPTERS) {
    const source = adapter.describeTensor(value);
    if (source !== undefined) return source;
  }
  return describeHostTensor(value);
}
