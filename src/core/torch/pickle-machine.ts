import { TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { PickleCursor } from './pickle-cursor.js';
import type { PickleHost, PickleValue } from './pickle-values.js';

/** The state of a pickle that is being read: its stack, marks and memo, all bounded. */
export class PickleMachine {
  readonly cursor: PickleCursor;
  readonly host: PickleHost;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #fence = 0;
  #objects = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.cursor = new PickleCursor(bytes);
    this.host = host;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Pushes something that takes memory of its own. */
  pushNew(value: PickleValue): void {
    this.#objects++;
    if (this.#objects > LIMITS.objects) throw tooMany('objects', LIMITS.objects);
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length > this.#fence ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.fault('takes a value from an empty stack');
    return value;
  }

  top(): PickleValue {
    const value = this.#stack.length > this.#fence ? this.#stack.at(-1) : undefined;
    if (value === undefined) throw this.fault('looks at an empty stack');
    return value;
  }

  mark(): void {
    if (this.#marks.length >= LIMITS.nesting) {
      throw new TorchFault(`the pickle is nested deeper than ${LIMITS.nesting} levels`);
    }
    this.#marks.push(this.#stack.length);
    this.#fence = this.#stack.length;
  }

  /** The values since the last mark. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.fault('looks for a mark that is not there');
    this.#fence = this.#marks.at(-1) ?? 0;
    return this.#stack.splice(mark);
  }

  /** Drops the topmost value, or the mark where nothing stands above it. */
  discard(): void {
    if (this.#stack.length === this.#fence && this.#marks.length > 0) this.popToMark();
    else this.pop();
  }

  remember(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
    if (this.#memo.size > LIMITS.memo) throw tooMany('remembered values', LIMITS.memo);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.fault(`recalls value ${index}, which it never remembered`);
    this.push(value);
  }

  fault(what: string): TorchFault {
    return new TorchFault(`the pickle is damaged: it ${what} (byte ${this.cursor.position})`);
  }
}

export function tooMany(what: string, limit: number): TorchFault {
  return new TorchFault(`the pickle makes more than ${limit} ${what}`);
}
