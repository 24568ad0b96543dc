import type { JsonValue } from '../core/model/json.js';
import type { TensorSource } from '../core/model/tensor.js';
import type { ValueEncoder } from '../core/values/index.js';
import type { RecordedFunction } from './recorded-function.js';

/** The arguments of a call as a record holds them. */
export interface EncodedArguments {
  /** `arg_0` and so on, but for those that are tensors: they stand in the record by their layouts. */
  metadata: Record<string, JsonValue>;
  tensors: ReadonlyMap<string, TensorSource>;
  /** Why the call can't be replayed. */
  problems: string[];
  isTruncated: boolean;
}

/** Encodes all arguments with one encoder, which knows an object that it met before. */
export function encodeArguments(
  fn: RecordedFunction,
  args: readonly unknown[],
  encoder: ValueEncoder,
): EncodedArguments {
  const metadata: Record<string, JsonValue> = {};
  for (let index = 0; index < args.length; index += 1) {
    const key = `arg_${index}`;
    const encoded = fn.encodeArgument?.(index, args[index]) ?? encoder.encode(args[index], key);
    if (!encoder.tensors.has(key)) metadata[key] = encoded;
  }
  return {
    metadata,
    tensors: encoder.tensors,
    problems: [...encoder.problems],
    isTruncated: encoder.truncated,
  };
}
