import type { CallRecord } from '../model/call.js';
import type { TensorLayout } from '../model/tensor.js';

/** Whether values of a call were left out, so that nothing that it gives can be held against the record. */
export function isRedactedCall({ fir, foreign }: Pick<CallRecord, 'fir' | 'foreign'>): boolean {
  const isMarked = fir?.redacted === true || foreign?.redacted === true;
  return isMarked || Object.values((fir ?? foreign)?.tensors ?? {}).some(isLeftOut);
}

function isLeftOut({ data }: TensorLayout): boolean {
  return data !== undefined && 'redacted' in data;
}
