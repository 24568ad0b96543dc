import type { JsonValue } from '../core/model/json.js';
import type { ValueEncoder } from '../core/values/index.js';
import { encodeArguments } from './encode-arguments.js';
import { isChecked, type RecordedFunction, roleOf } from './recorded-function.js';

const CONTAINER_TYPES = new Set<unknown>(['list', 'dict', 'js.map', 'js.set']);

/** Watches the arguments of one call that are containers: a call may put something into one. */
export class ContainerChecks {
  readonly #fn: RecordedFunction;
  readonly #args: readonly unknown[];
  readonly #before = new Map<string, string>();

  /** `metadata` holds the arguments as they were encoded before the call. */
  constructor(fn: RecordedFunction, args: readonly unknown[], metadata: Readonly<Record<string, JsonValue>>) {
    this.#fn = fn;
    this.#args = args;
    for (const key of Object.keys(metadata)) {
      const encoded = metadata[key];
      if (isContainer(encoded) && isChecked(roleOf(fn, key))) this.#before.set(key, JSON.stringify(encoded));
    }
  }

  /** Those that ended otherwise than they began, each encoded by itself. */
  changed(makeEncoder: () => ValueEncoder): Record<string, JsonValue> | undefined {
    if (this.#before.size === 0) return undefined;
    // In the same order and with one encoder, so that an object which two arguments share looks the same again.
    const now = encodeArguments(this.#fn, this.#args, makeEncoder()).metadata;
    let changed: Record<string, JsonValue> | undefined;
    for (const [key, before] of this.#before) {
      if (JSON.stringify(now[key]) === before) continue;
      const index = Number(key.slice('arg_'.length));
      changed ??= {};
      changed[key] = makeEncoder().encode(this.#args[index], key);
    }
    return changed;
  }
}

function isContainer(encoded: JsonValue | undefined): boolean {
  if (typeof encoded !== 'object' || encoded === null || Array.isArray(encoded)) return false;
  return CONTAINER_TYPES.has(encoded['type']);
}
