import type { Tolerance } from '../model/tolerance.js';
import type { OutputComparison } from '../model/verdict.js';
import { indexOf } from './element.js';
import { passesRatio } from './tensors.js';

/** A string tensor: its values row-major. */
export interface StringTensor {
  shape: readonly number[];
  strings: readonly string[];
}

const MAX_SHOWN = 60;

/**
 * Compares two string tensors: elements match when their code units are equal; of the tolerance only `ratio` holds.
 * The reason names the first element that differs and both its values, cut to 60 characters.
 */
export function compareStrings(
  key: string,
  actual: StringTensor,
  expected: StringTensor,
  tolerance: Tolerance,
): OutputComparison {
  const head = {
    key,
    kind: 'tensor' as const,
    dtype: 'string' as const,
    shape: [...expected.shape],
    tolerance: { ...tolerance, rtol: 0, atol: 0 },
  };
  if (actual.shape.join() !== expected.shape.join()) {
    const reason = `shape differs: [${actual.shape}], recorded [${expected.shape}]`;
    return { ...head, verdict: 'mismatch', reason };
  }
  const elements = expected.strings.length;
  const differing = expected.strings.flatMap((text, i) => (text === actual.strings[i] ? [] : [i]));
  const isPass = passesRatio(differing.length, elements, tolerance.ratio);
  const [first] = differing;
  const reason = first === undefined ? undefined : describeFirst(first, actual, expected);
  return {
    ...head,
    verdict: isPass ? 'pass' : 'mismatch',
    elements,
    mismatched: differing.length,
    ...(reason === undefined || isPass ? {} : { reason }),
  };
}

function describeFirst(position: number, actual: StringTensor, expected: StringTensor): string {
  const index = indexOf(expected.shape, 'string', position);
  const found = shorten(actual.strings[position] ?? '');
  return `first differs at [${index}]: ${found}, recorded ${shorten(expected.strings[position] ?? '')}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
