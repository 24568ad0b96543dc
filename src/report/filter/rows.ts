import { printable } from '../../cli/printable.js';
import type { FilterPlan, NeededCall } from '../../core/retain/index.js';
import type { CallEntry } from '../../core/session/index.js';

/** Calls in a row that are there for one reason: a long session would be pages of the same line. */
export interface CallRow {
  /** `+` added, `-` left out, ` ` selected. */
  mark: ' ' | '+' | '-';
  first: number;
  last: number;
  function: string;
  /** Empty for a selected call. */
  why: string;
}

/** Selected, added and left-out calls in session order, printable. */
export function* rowsOf({ selected, added, leftOut }: FilterPlan): Generator<CallRow> {
  let open: CallRow | undefined;
  for (const row of inOrder(selected, [...added.map(rowWith('+')), ...leftOut.map(rowWith('-'))])) {
    const isNext =
      open !== undefined &&
      row.first === open.last + 1 &&
      row.mark === open.mark &&
      row.function === open.function &&
      row.why === open.why;
    if (isNext && open !== undefined) open.last = row.last;
    else {
      if (open !== undefined) yield open;
      open = row;
    }
  }
  if (open !== undefined) yield open;
}

function* inOrder(selected: readonly CallEntry[], needed: readonly CallRow[]): Generator<CallRow> {
  let next = 0;
  for (const call of selected) {
    for (let row = needed[next]; row !== undefined && row.first < call.number; row = needed[next]) {
      yield row;
      next += 1;
    }
    yield rowOf(call, ' ', '');
  }
  yield* needed.slice(next);
}

function rowWith(mark: '+' | '-'): (needed: NeededCall) => CallRow {
  return ({ entry, neededBy, reason }) => rowOf(entry, mark, `${printable(reason)}, for call ${neededBy}`);
}

function rowOf(call: CallEntry, mark: CallRow['mark'], why: string): CallRow {
  const { number } = call;
  return { mark, first: number, last: number, function: printable(call.functionName), why };
}
