import { FirError } from '../errors.js';

/** Sorted, disjoint, both ends included. */
export type CallRanges = readonly { readonly first: number; readonly last: number }[];

const RANGE = /^(\d{1,15})(?:-(\d{1,15}))?$/;

/** Call numbers from `3,10-20`. FirError USAGE. */
export function parseCallRanges(text: string): CallRanges {
  return mergeRanges(text.split(',').map((part) => parseRange(part.trim(), text)));
}

/** By binary search: a selection may hold many ranges and a session many calls. */
export function includesCall(ranges: CallRanges, call: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (call < range.first) high = middle - 1;
    else if (call > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

function parseRange(part: string, text: string): { first: number; last: number } {
  const match = RANGE.exec(part);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first < 1 || last < first) {
    throw new FirError('USAGE', `"${part}" in "${text}" is not a call number or a range of them`, {
      hint: 'calls are numbered from 1: --call 3,10-20',
    });
  }
  return { first, last };
}

function mergeRanges(ranges: { first: number; last: number }[]): CallRanges {
  ranges.sort((a, b) => a.first - b.first);
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) {
      previous.last = Math.max(previous.last, range.last);
    } else {
      merged.push(range);
    }
  }
  return merged;
}
