import { stringifyJson } from '../json/index.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Tolerance } from '../model/tolerance.js';
import type { OutputComparison } from '../model/verdict.js';
import { formatPath, type PathStep } from '../values/format-path.js';
import type { ComparisonOptions } from './options.js';
import { asNumber, contentOf, type Entry, isNode, type NodeContent, numbersMatch } from './value-nodes.js';

/**
 * Compares two encoded values. Structure must match: types, lengths, keys; the order of a dict's, a Map's or a Set's
 * entries is no difference.
 * - Numbers: two safe integers must be equal; others are float64 under the tolerance, infinities and NaN as in tensors.
 *   `-0` equals `0`. A bigint (an integer beyond 2^53 in the record) must have the same mathematical value.
 * - Strings, booleans, null and every `js.*` scalar must be equal; a recorded object passed as a value by class and self_id.
 * - Tensors are compared as structure only: a tensor must stand where one was recorded.
 * - Of containers that were cut when they were written, the length and what both sides kept.
 * - Values that could only be described must have the same type and the same `repr`, memory addresses (`0x…`) aside.
 *
 * `elements` counts the leaves and containers that were compared, `mismatched` those that differ; one is enough for a
 * mismatch, whatever ratio the tolerance has. `reason` says where the first is: `result.scores[2] differs: 3, recorded 4`.
 */
export function compareValues(
  key: string,
  actual: JsonValue,
  expected: JsonValue,
  tolerance: Tolerance,
  options: Pick<ComparisonOptions, 'nan'>,
): OutputComparison {
  const comparison = new ValueComparison(key, tolerance, options);
  comparison.compare(actual, expected);
  const { elements, mismatched, reason } = comparison;
  const verdict = reason === undefined ? 'pass' : 'mismatch';
  const more = mismatched > 1 ? `; ${mismatched - 1} more difference${mismatched === 2 ? '' : 's'}` : '';
  return {
    key,
    kind: 'value',
    verdict,
    ...(reason === undefined ? {} : { reason: `${reason}${more}` }),
    ...(comparison.isCut ? { notes: ['cut at a bound: only what was kept could be compared'] } : {}),
    elements,
    mismatched,
    tolerance,
    actual,
    expected,
  };
}

const MAX_SHOWN = 80;

class ValueComparison {
  elements = 0;
  mismatched = 0;
  reason: string | undefined;
  /** Whether a container on either side holds less than the value did. */
  isCut = false;
  readonly #key: string;
  readonly #tolerance: Tolerance;
  readonly #options: Pick<ComparisonOptions, 'nan'>;
  readonly #path: PathStep[] = [];

  constructor(key: string, tolerance: Tolerance, options: Pick<ComparisonOptions, 'nan'>) {
    this.#key = key;
    this.#tolerance = tolerance;
    this.#options = options;
  }

  compare(actual: JsonValue, expected: JsonValue): void {
    this.elements++;
    const actualNumber = asNumber(actual);
    const expectedNumber = asNumber(expected);
    if (actualNumber !== undefined && expectedNumber !== undefined) {
      if (!numbersMatch(actualNumber, expectedNumber, this.#tolerance, this.#options.nan)) {
        this.#differ(`${show(actual)}, recorded ${show(expected)}`);
      }
    } else if (isNode(actual) && isNode(expected)) {
      this.#compareNodes(actual, expected);
    } else if (Array.isArray(actual) && Array.isArray(expected)) {
      this.#compareItems(actual, expected);
    } else if (actual !== expected) {
      this.#differ(`${show(actual)}, recorded ${show(expected)}`);
    }
  }

  #compareNodes(actual: JsonObject, expected: JsonObject): void {
    const isCut = actual['truncated'] === true || expected['truncated'] === true;
    this.isCut ||= isCut;
    const content = contentOf(actual);
    const recorded = contentOf(expected);
    if (isCut && actual['type'] === expected['type']) {
      const { length = actual['length'] } = expected;
      if (actual['length'] !== length) this.#differInLength(actual['length'], length);
      else this.#compareKept(content, recorded);
    } else if (actual['type'] !== expected['type'] || content.kind !== recorded.kind) {
      this.#differ(`${show(actual['type'] ?? 'object')}, recorded ${show(expected['type'] ?? 'object')}`);
    } else if (content.kind === 'items' && recorded.kind === 'items') {
      this.#compareItems(content.items, recorded.items);
    } else if (content.kind === 'entries' && recorded.kind === 'entries') {
      this.#compareEntries(content.entries, recorded.entries);
    } else if (content.kind === 'text' && recorded.kind === 'text' && content.text !== recorded.text) {
      this.#differ(`${content.text.slice(0, MAX_SHOWN)}, recorded ${recorded.text.slice(0, MAX_SHOWN)}`);
    }
  }

  /** Of containers that were cut, what both sides have. */
  #compareKept(actual: NodeContent, expected: NodeContent): void {
    if (actual.kind === 'items' && expected.kind === 'items') {
      const kept = Math.min(actual.items.length, expected.items.length);
      this.#compareItems(actual.items.slice(0, kept), expected.items.slice(0, kept));
    } else if (actual.kind === 'entries' && expected.kind === 'entries') {
      for (const [id, { name, value }] of expected.entries) {
        const found = actual.entries.get(id);
        if (found !== undefined) this.#descend(name, found.value, value);
      }
    }
  }

  #compareItems(actual: JsonValue[], expected: JsonValue[]): void {
    if (actual.length !== expected.length) {
      this.#differInLength(actual.length, expected.length);
      return;
    }
    for (const [i, item] of expected.entries()) this.#descend(i, actual[i] ?? null, item);
  }

  #compareEntries(actual: Map<string, Entry>, expected: Map<string, Entry>): void {
    for (const [id, { name, value }] of expected) {
      const found = actual.get(id);
      if (found === undefined) this.#differ(`no entry ${show(name)}, recorded`);
      else this.#descend(name, found.value, value);
    }
    for (const [id, { name }] of actual) {
      if (!expected.has(id)) this.#differ(`entry ${show(name)}, not recorded`);
    }
  }

  #descend(step: PathStep, actual: JsonValue, expected: JsonValue): void {
    this.#path.push(step);
    this.compare(actual, expected);
    this.#path.pop();
  }

  #differInLength(actual: JsonValue = null, expected: JsonValue = null): void {
    this.#differ(`${show(actual)} items, recorded ${show(expected)}`);
  }

  #differ(how: string): void {
    this.mismatched++;
    this.reason ??= `${formatPath(this.#key, this.#path)} differs: ${how}`;
  }
}

function show(value: JsonValue): string {
  const text = stringifyJson(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
