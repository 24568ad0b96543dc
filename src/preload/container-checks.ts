import type { JsonValue } from '../core/model/json.js';
import type { ValueEncoder } from '../core/values/index.js';
import { encodeArguments } from './encode-arguments.js';
import { isChecked, type RecordedFunction, roleOf } from './recorded-function.js';

const CONTAINER_TYPES = new Set<unknown>(['list', 'dict', 'js.map', 'js.set']);

export interface ContainerChanges {
  /** Those that ended otherwise than they began, each encoded by itself. */
  changed: Record<string, JsonValue>;
  /** Those that changed after the synchronous return of an async call: who did it is not known. */
  pendingKeys: string[];
}

/** Watches the arguments of one call that are containers: a call may put something into one. */
export class ContainerChecks {
  readonly #fn: RecordedFunction;
  readonly #args: readonly unknown[];
  readonly #before = new Map<string, string>();
  #atReturn: Map<string, string> | undefined;

  /** `metadata` holds the arguments as they were encoded before the call. */
  constructor(fn: RecordedFunction, args: readonly unknown[], metadata: Readonly<Record<string, JsonValue>>) {
    this.#fn = fn;
    this.#args = args;
    for (const key of Object.keys(metadata)) {
      const encoded = metadata[key];
      if (isContainer(encoded) && isChecked(roleOf(fn, key))) this.#before.set(key, JSON.stringify(encoded));
    }
  }

  /** To be called at the synchronous return of an async call. */
  noteReturn(makeEncoder: () => ValueEncoder): void {
    if (this.#before.size > 0) this.#atReturn = this.#textsNow(makeEncoder);
  }

  changes(makeEncoder: () => ValueEncoder): ContainerChanges {
    const changes: ContainerChanges = { changed: {}, pendingKeys: [] };
    if (this.#before.size === 0) return changes;
    for (const [key, now] of this.#textsNow(makeEncoder)) {
      if (this.#atReturn !== undefined && this.#atReturn.get(key) !== now) changes.pendingKeys.push(key);
      if (now === this.#before.get(key)) continue;
      const index = Number(key.slice('arg_'.length));
      changes.changed[key] = makeEncoder().encode(this.#args[index], key);
    }
    return changes;
  }

  /** In the same order and with one encoder, so that an object which two arguments share looks the same again. */
  #textsNow(makeEncoder: () => ValueEncoder): Map<string, string> {
    const now = encodeArguments(this.#fn, this.#args, makeEncoder()).metadata;
    return new Map([...this.#before.keys()].map((key) => [key, JSON.stringify(now[key]) ?? '']));
  }
}

function isContainer(encoded: JsonValue | undefined): boolean {
  if (typeof encoded !== 'object' || encoded === null || Array.isArray(encoded)) return false;
  return CONTAINER_TYPES.has(encoded['type']);
}
