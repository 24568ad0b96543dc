import { summariseTensor } from '../core/compare/index.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorSource } from '../core/model/tensor.js';
import { scrubName } from '../core/redact/text-scrubs.js';
import { logicalData } from '../core/tensor-files/tensor-data.js';
import { ValueEncoder } from '../core/values/index.js';
import type { CallRedaction } from './call-redaction.js';
import { describeTensor } from './describe-tensor.js';

/** What takes the content out of what is logged. */
export type LogRedaction = Pick<CallRedaction, 'values'>;

/** Arguments as a log shows them: values as in a record, tensors by dtype and shape, with statistics when asked for. */
export function describeArguments(
  args: readonly unknown[],
  withStatistics: boolean,
  redaction?: LogRedaction,
): JsonValue[] {
  const encoder = new ValueEncoder({ describeTensor });
  return args.map((value, index) => {
    const key = `arg_${index}`;
    const encoded = encoder.encode(value, key);
    const source = encoder.tensors.get(key);
    if (source !== undefined) return tensorText(source, withStatistics);
    return redaction === undefined ? encoded : redaction.values(undefined).redact(encoded, key);
  });
}

/** What a call threw, as a log shows it: without content its class alone. */
export function describeThrown(thrown: unknown, redaction?: LogRedaction): string {
  if (redaction === undefined) return String(thrown);
  return thrown instanceof Error ? scrubName(String(thrown.name), 'Error') : typeof thrown;
}

function tensorText(source: TensorSource, withStatistics: boolean): string {
  const text = `${source.dtype}[${source.shape.join(',')}]`;
  if (!withStatistics || source.strings !== undefined) return text;
  const { min, max, mean, nan, inf } = summariseTensor(source.dtype, () => [logicalData(source)]);
  return `${text} min=${min} max=${max} mean=${mean} nan=${nan} inf=${inf}`;
}
