import {
  type ComparisonOptions,
  compareOutput,
  compareStrings,
  compareValues,
  isIgnored,
  toleranceFor,
} from '../compare/index.js';
import { FirError } from '../errors.js';
import type { JsonValue } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';
import type { OutputComparison } from '../model/verdict.js';
import type { StoredTensor } from '../session/index.js';
import { Storage, Tensor } from '../tensor/index.js';
import { offsetFrom } from './fill-storage.js';
import type { RunOutput } from './run-outputs.js';

/** Collects the comparisons of one call, and what they were made with. */
export class OutputComparisons {
  readonly comparisons: OutputComparison[] = [];
  readonly outputs = new Map<string, RunOutput>();
  /** Outputs that `--ignore` leaves out. */
  ignored = 0;
  readonly #functionName: string;
  readonly #options: ComparisonOptions;

  constructor(functionName: string, options: ComparisonOptions) {
    this.#functionName = functionName;
    this.#options = options;
  }

  get hasMismatch(): boolean {
    return this.comparisons.some(({ verdict }) => verdict === 'mismatch');
  }

  /** Compares a tensor with the recorded one; `actual` is undefined where there is none any more, for the reason given. */
  addTensor(key: string, actual: TensorSource | string, expected: StoredTensor, note?: string): void {
    if (this.#isIgnored(key)) return;
    const comparison =
      typeof actual === 'string'
        ? missingTensor(key, expected, actual)
        : this.#compareTensor(key, actual, expected);
    this.#push(comparison, note);
  }

  addValue(key: string, actual: JsonValue, expected: JsonValue, note?: string): void {
    if (this.#isIgnored(key)) return;
    this.outputs.set(key, { kind: 'value', value: actual });
    const tolerance = toleranceFor(this.#options, this.#functionName, key, 'float64');
    this.#push(compareValues(key, actual, expected, tolerance, this.#options), note);
  }

  /** A value that is worth telling only where it differs. */
  addValueIfDifferent(key: string, actual: JsonValue, expected: JsonValue, note?: string): void {
    const before = this.comparisons.length;
    this.addValue(key, actual, expected, note);
    if (this.comparisons[before]?.verdict === 'pass') this.comparisons.length = before;
  }

  #compareTensor(key: string, source: TensorSource, stored: StoredTensor): OutputComparison | undefined {
    if (source.strings !== undefined) {
      const { shape, strings } = source;
      this.outputs.set(key, { kind: 'strings', shape, strings });
      if (stored.strings === undefined) return otherDtype(key, source, stored);
      const tolerance = toleranceFor(this.#options, this.#functionName, key, 'string');
      return compareStrings(
        key,
        { shape, strings },
        { shape: stored.shape, strings: stored.strings() },
        tolerance,
      );
    }
    const tensor = tensorFromSource(source);
    this.outputs.set(key, { kind: 'tensor', tensor });
    if (stored.strings !== undefined) return otherDtype(key, source, stored);
    const expected = tensorFromStored(stored);
    refuseRepeats(key, tensor, expected);
    const comparison = compareOutput(this.#functionName, key, tensor, expected, this.#options);
    return comparison === undefined ? undefined : withStrideNote(comparison, source, stored);
  }

  #isIgnored(key: string): boolean {
    const isLeftOut = isIgnored(this.#options, this.#functionName, key);
    if (isLeftOut) this.ignored += 1;
    return isLeftOut;
  }

  #push(comparison: OutputComparison | undefined, note: string | undefined): void {
    if (comparison === undefined) return;
    const notes = note === undefined ? comparison.notes : [note, ...(comparison.notes ?? [])];
    this.comparisons.push(notes === undefined ? comparison : { ...comparison, notes });
  }
}

function tensorFromSource({ dtype, shape, stride, bytes, device }: TensorSource): Tensor {
  return new Tensor({ dtype, shape, stride, storage: new Storage(bytes), device });
}

/** Expanded tensors stay expanded: their values one after the other may be far more than what was saved. */
function tensorFromStored(stored: StoredTensor): Tensor {
  const { dtype, shape, stride } = stored;
  const range = stored.savedRange?.();
  if (range === undefined) return Tensor.fromBytes(dtype, shape, stored.logicalBytes());
  const offset = offsetFrom(stored, range.byteOffset);
  return new Tensor({ dtype, shape, stride, offset, storage: new Storage(range.bytes) });
}

const MOST_REPEATED = 2 ** 30;
const REPEATS_OF_ONE = 1024;

/** A small file can claim a tensor of any size that is the same memory over and over: comparing it would not end. */
function refuseRepeats(key: string, actual: Tensor, expected: Tensor): void {
  const isRepeated = ({ elements, byteLength, storage }: Tensor) =>
    elements > MOST_REPEATED && byteLength > REPEATS_OF_ONE * storage.bytes.length;
  if (!isRepeated(actual) || !isRepeated(expected)) return;
  throw new FirError(
    'TOO_LARGE',
    `${key} has ${expected.elements} elements over ${expected.storage.bytes.length} bytes: too many to compare`,
  );
}

function missingTensor(key: string, { dtype, shape }: StoredTensor, reason: string): OutputComparison {
  return { key, kind: 'tensor', verdict: 'mismatch', reason, dtype, shape: [...shape] };
}

function otherDtype(key: string, actual: TensorSource, { dtype, shape }: StoredTensor): OutputComparison {
  const reason = `dtype differs: ${actual.dtype}, recorded ${dtype}`;
  return { key, kind: 'tensor', verdict: 'mismatch', reason, dtype, shape: [...shape] };
}

/** The recorded values are at hand contiguous, whatever layout they had: strides are held against the recorded ones here. */
function withStrideNote(
  comparison: OutputComparison,
  actual: TensorSource,
  stored: StoredTensor,
): OutputComparison {
  const { notes: found = [], ...rest } = comparison;
  const notes = found.filter((note) => !note.startsWith('stride differs'));
  const isStepped = (_: number, dim: number) => (stored.shape[dim] ?? 0) > 1;
  const stride = actual.originalStride ?? actual.stride;
  const [is, was] = [stride.filter(isStepped), stored.stride.filter(isStepped)];
  if (!stored.shape.includes(0) && is.join() !== was.join()) {
    notes.push(`stride differs: [${stride}], recorded [${stored.stride}]`);
  }
  return notes.length === 0 ? rest : { ...rest, notes };
}
