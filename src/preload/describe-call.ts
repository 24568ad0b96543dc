import { summariseTensor } from '../core/compare/index.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorSource } from '../core/model/tensor.js';
import { ValueEncoder } from '../core/values/index.js';
import { describeTensor } from './describe-tensor.js';
import { logicalData } from './tensor-data.js';

/** Arguments as a log shows them: values as in a record, tensors by dtype and shape, with statistics when asked for. */
export function describeArguments(args: readonly unknown[], withStatistics: boolean): JsonValue[] {
  const encoder = new ValueEncoder({ describeTensor });
  return args.map((value, index) => {
    const key = `arg_${index}`;
    const encoded = encoder.encode(value, key);
    const source = encoder.tensors.get(key);
    return source === undefined ? encoded : tensorText(source, withStatistics);
  });
}

function tensorText(source: TensorSource, withStatistics: boolean): string {
  const text = `${source.dtype}[${source.shape.join(',')}]`;
  if (!withStatistics || source.strings !== undefined) return text;
  const { min, max, mean, nan, inf } = summariseTensor(source.dtype, () => [logicalData(source)]);
  return `${text} min=${min} max=${max} mean=${mean} nan=${nan} inf=${inf}`;
}
