import type { ComparisonOptions } from '../compare/index.js';
import type { JsonValue } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';
import { END_STATE_NOTE, type OutputComparison } from '../model/verdict.js';
import type { ObjectName } from '../plan/types.js';
import type { Dump } from '../session/index.js';
import { ValueEncoder } from '../values/index.js';
import type { CallEnd } from './call-end.js';
import { containerEndStates, endStates } from './end-states.js';
import { OutputComparisons } from './outputs.js';
import { argumentKeys, hasPlainValues, recordedResult } from './recorded-values.js';
import type { RehydratedInputs } from './rehydrate.js';
import { encodeResult } from './result-tensors.js';
import { findReturnedObjects } from './returned-objects.js';
import type { RunOutput } from './run-outputs.js';

export interface CompareContext {
  args: readonly unknown[];
  inputs: RehydratedInputs;
  /** The result is an object that the call made: it has no value to compare. */
  makesObject: boolean;
  comparison: ComparisonOptions;
  describe(value: object): TensorSource | undefined;
  /** The plan's name of a live object. */
  nameOf(object: object): ObjectName | undefined;
  /** Whether a live object is one that this call made. */
  isNew(object: object): boolean;
}

export interface ComparedCall {
  comparisons: OutputComparison[];
  notes: string[];
  ignored: number;
  /** What the run gave, by key. */
  outputs: ReadonlyMap<string, RunOutput>;
}

/** Holds everything that a call gave against the recording: its result or error, and its arguments' end states. */
export function compareCall(dump: Dump, end: CallEnd, context: CompareContext): ComparedCall {
  const { record } = dump;
  const outputs = new OutputComparisons(record.function_name, context.comparison);
  const notes: string[] = [];
  if (end.kind === 'threw') compareError(outputs, dump, end.error, context);
  else if (record.execution_status === 'completed' && !context.makesObject) {
    compareResult(outputs, notes, dump, end.value, context);
  }
  if (end.kind === 'returned' || record.execution_status === 'failed')
    compareArguments(outputs, dump, context);
  const { comparisons, ignored } = outputs;
  return { comparisons, ignored, notes, outputs: outputs.outputs };
}

/** Errors are the same when they have the same name and message; anything else that was thrown, the same value. */
function compareError(
  outputs: OutputComparisons,
  dump: Dump,
  thrown: unknown,
  context: CompareContext,
): void {
  const { error } = dump.record.fir ?? {};
  if (dump.record.execution_status !== 'failed' || error === undefined) return;
  const expected = error.value ?? describe(error.name, error.message);
  const actual =
    thrown instanceof Error
      ? describe(String(thrown.name), String(thrown.message))
      : encoderFor(context).encode(thrown, 'error');
  outputs.addValue('error', actual, expected);
}

function describe(name: string, message: string): JsonValue {
  return `${name}: ${message}`;
}

function compareResult(
  outputs: OutputComparisons,
  notes: string[],
  dump: Dump,
  value: unknown,
  context: CompareContext,
): void {
  const returned = findReturnedObjects(recordedResult(dump), value);
  const encoder = encoderFor(context, (object) =>
    returned.find((one) => one.object === object && isOfClass(one)),
  );
  const { expected, actual, tensors } = encodeResult(dump, value, encoder);
  // Of Python's None, JavaScript has no like: a stand-in may return anything that is nothing.
  if (expected === undefined || (expected === null && dump.record.fir === undefined)) return;
  // That the very same object comes back is a value; that some object of the class does is none.
  const isKnown = ({ object }: { object: object }) =>
    context.nameOf(object) !== undefined && !context.isNew(object);
  const hasValues = hasPlainValues(expected) || returned.some(isKnown);
  if (hasValues) outputs.addValue('result', actual, expected);
  else outputs.addValueIfDifferent('result', actual, expected);
  for (const key of dump.keys('outputs')) {
    const source = tensors.get(key);
    // A structure that differs was told already.
    if (source === undefined && outputs.hasMismatch) continue;
    outputs.addTensor(
      key,
      source ?? 'no tensor was returned where one was recorded',
      dump.tensor('outputs', key),
    );
    if (source !== undefined) noteSharing(notes, dump, key, source, context);
  }
}

function compareArguments(outputs: OutputComparisons, dump: Dump, context: CompareContext): void {
  const { inputs, args } = context;
  for (const { key, group } of endStates(dump)) {
    const host = inputs.host(key);
    const source = typeof host === 'object' && host !== null ? context.describe(host) : undefined;
    outputs.addTensor(
      key,
      source ?? 'its memory is gone after the call',
      dump.tensor(group, key),
      END_STATE_NOTE,
    );
  }
  const { positional } = argumentKeys(dump);
  const shared = encoderFor(context);
  const now = new Map(positional.map((key, index) => [key, shared.encode(args[index], key)]));
  for (const { key, expected, changed } of containerEndStates(dump)) {
    const index = positional.indexOf(key);
    // A changed argument was encoded by itself, an unchanged one together with those before it.
    if (changed)
      outputs.addValue(key, encoderFor(context).encode(args[index], key), expected, END_STATE_NOTE);
    else outputs.addValueIfDifferent(key, now.get(key) ?? null, expected, END_STATE_NOTE);
  }
}

function encoderFor(
  context: CompareContext,
  nameMore?: (object: object) => ObjectName | undefined,
): ValueEncoder {
  return new ValueEncoder({
    describeTensor: (value) => context.describe(value),
    objectRef: (object) => {
      const name = context.nameOf(object) ?? nameMore?.(object);
      return name === undefined ? undefined : { self_id: Number(name.selfId), class: name.className };
    },
  });
}

function isOfClass({ object, className }: { object: object; className: string }): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (typeof prototype !== 'object' || prototype === null) return false;
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof owner === 'function' && owner.name === className;
}

/** Says where a result shares memory with an argument in the recording alone, or in the replay alone. */
function noteSharing(
  notes: string[],
  dump: Dump,
  key: string,
  source: TensorSource,
  context: CompareContext,
): void {
  const { fir } = dump.record;
  if (fir === undefined) return;
  const recordedStorage = dump.tensor('outputs', key).storage;
  for (const input of dump.keys('inputs')) {
    if (context.inputs.originalOf(input) !== input) continue;
    const host = context.inputs.host(input);
    const own = typeof host === 'object' && host !== null ? context.describe(host) : undefined;
    const isShared = own !== undefined && own.storage === source.storage;
    const wasShared =
      recordedStorage !== undefined && dump.tensor('inputs', input).storage === recordedStorage;
    if (isShared === wasShared) continue;
    notes.push(
      isShared
        ? `${key} shares memory with ${input} here, and did not when it was recorded`
        : `${key} shared memory with ${input} when it was recorded, and does not here`,
    );
    return;
  }
}
