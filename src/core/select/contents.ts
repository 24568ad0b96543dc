import type { DtypeName } from '../model/dtype.js';
import type { CallEntry, Dump, Session, StoredTensor, TensorGroupName } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { reasonOf } from '../session/reason-of.js';
import { matchesShape, type ShapePattern } from './parse-shape.js';
import { findSpecialValues } from './special-values.js';

/** What only a call's record, or its tensors' values, tell. All given conditions must hold. */
export interface ContentConditions {
  /** One tensor, argument or result, has one of these dtypes and one of these shapes. */
  dtype?: readonly DtypeName[];
  shape?: readonly ShapePattern[];
  /** Bytes of all tensors of the call, as `fir inspect` sums them: what is the same tensor as another counts once. */
  minSize?: number;
  maxSize?: number;
  /** A tensor of inputs, outputs or mutated holds one. */
  hasNan?: boolean;
  hasInf?: boolean;
}

const GROUPS: readonly TensorGroupName[] = ['inputs', 'outputs', 'mutated'];

export function hasContentConditions(conditions: ContentConditions): boolean {
  const { dtype = [], shape = [], minSize, maxSize, hasNan = false, hasInf = false } = conditions;
  return (
    dtype.length > 0 || shape.length > 0 || minSize !== undefined || maxSize !== undefined || hasNan || hasInf
  );
}

/**
 * Whether a call's contents meet the conditions. Values are read last, and only while they can still decide. What
 * can't be read meets none; `onUnreadable` is told why.
 */
export async function matchesContents(
  session: Session,
  call: CallEntry,
  conditions: ContentConditions,
  onUnreadable: (reason: string) => void,
): Promise<boolean> {
  let dump: Dump | undefined;
  try {
    dump = call.status === 'no_record' ? session.openUnrecorded(call) : session.openDump(call);
  } catch (error) {
    onUnreadable(reasonOf(error));
  }
  if (dump === undefined) return false;
  try {
    const tensors = [...tensorsOf(dump, onUnreadable)];
    if (!matchesLayouts(tensors, conditions)) return false;
    const wanted = { nan: conditions.hasNan === true, inf: conditions.hasInf === true };
    for (const { stored, hasValues } of tensors) {
      if (!wanted.nan && !wanted.inf) return true;
      if (!hasValues) continue;
      try {
        await findSpecialValues(stored, wanted);
      } catch (error) {
        onUnreadable(reasonOf(error));
      }
    }
    return !wanted.nan && !wanted.inf;
  } finally {
    dump.close();
  }
}

interface CallTensor {
  stored: StoredTensor;
  hasValues: boolean;
}

function* tensorsOf(dump: Dump, onUnreadable: (reason: string) => void): Generator<CallTensor> {
  for (const group of GROUPS) {
    for (const key of dump.keys(group)) {
      try {
        const stored = dump.tensor(group, key);
        yield { stored, hasValues: stored.sameAs === undefined && wereSaved(dump, group, key) };
      } catch (error) {
        onUnreadable(reasonOf(error));
      }
    }
  }
}

/** Of an argument that the call only writes there are no contents to be missed. */
function wereSaved({ record: { fir } }: Dump, group: TensorGroupName, key: string): boolean {
  return fir === undefined || group === 'mutated' || ownField(fir.tensors, key)?.data !== undefined;
}

function matchesLayouts(tensors: readonly CallTensor[], conditions: ContentConditions): boolean {
  const { dtype = [], shape = [], minSize = 0, maxSize = Number.POSITIVE_INFINITY } = conditions;
  const hasTensor =
    (dtype.length === 0 && shape.length === 0) ||
    tensors.some(
      ({ stored }) =>
        (dtype.length === 0 || dtype.includes(stored.dtype)) &&
        (shape.length === 0 || shape.some((pattern) => matchesShape(pattern, stored.shape))),
    );
  if (!hasTensor) return false;
  let bytes = 0;
  for (const { stored } of tensors) if (stored.sameAs === undefined) bytes += stored.byteLength;
  return bytes >= minSize && bytes <= maxSize;
}
