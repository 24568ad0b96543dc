import type { JsonValue } from '../core/model/json.js';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import type { RecordedFunction } from './recorded-function.js';
import { Snapshot } from './snapshot.js';
import { logicalData, type TensorGroup } from './tensor-group.js';

/** An argument that is a container, as it was encoded before the call. */
export interface Container {
  value: unknown;
  text: string;
}

/** What became of the arguments. */
export interface ArgumentChanges {
  /** Absent where nothing was checked. */
  mutatedKeys: string[] | undefined;
  /** Changed after the synchronous return of an async call: who did it is not known. */
  pendingKeys: string[];
  /** Tensors to store: changed ones, and those that are outputs by their role. */
  sources: ReadonlyMap<string, TensorSource>;
}

export function roleOf(fn: RecordedFunction, key: string): TensorRole {
  return fn.roleOf?.(key) ?? 'unknown';
}

export function isChecked(role: TensorRole): boolean {
  return role === 'inout' || role === 'unknown';
}

/** Watches the arguments of one call for changes made in place. */
export class ArgumentChecks {
  readonly #inputs: ReadonlyMap<string, TensorSource>;
  readonly #snapshot: Snapshot | undefined;
  readonly #containers: ReadonlyMap<string, Container>;
  readonly #outKeys: string[] = [];
  readonly #isChecked: boolean;
  /** What the synchronous part of an async call had changed, with what the tensors held then. */
  #atReturn: Map<string, Uint8Array> | undefined;

  constructor(
    fn: RecordedFunction,
    inputs: ReadonlyMap<string, TensorSource>,
    group: TensorGroup,
    path: string,
    containers: ReadonlyMap<string, Container>,
  ) {
    const checked = new Map<string, TensorSource>();
    for (const [key, source] of inputs) {
      const role = roleOf(fn, key);
      if (role === 'out') this.#outKeys.push(key);
      else if (isChecked(role) && group.positions.has(key)) checked.set(key, source);
    }
    this.#inputs = inputs;
    this.#containers = containers;
    this.#isChecked = checked.size > 0 || inputs.size === 0 || this.#outKeys.length > 0;
    this.#snapshot = checked.size === 0 ? undefined : new Snapshot(group, path, checked);
  }

  /** To be called at the synchronous return of an async call. */
  noteReturn(): void {
    if (this.#snapshot === undefined) return;
    this.#atReturn = new Map();
    for (const key of this.#snapshot.changedKeys()) {
      const source = this.#snapshot.source(key);
      if (source !== undefined) this.#atReturn.set(key, Uint8Array.from(logicalData(source)));
    }
  }

  changes(): ArgumentChanges {
    const changed = this.#snapshot?.changedKeys() ?? [];
    const keys = [...changed, ...this.#outKeys];
    const sources = new Map<string, TensorSource>();
    for (const key of keys) {
      const source = this.#inputs.get(key);
      if (source !== undefined) sources.set(key, source);
    }
    return {
      mutatedKeys: this.#isChecked ? keys : undefined,
      pendingKeys: this.#pendingKeys(changed),
      sources,
    };
  }

  /** Containers that ended otherwise than they began, as they are encoded now. */
  changedContainers(
    encode: (key: string, value: unknown) => JsonValue,
  ): Record<string, JsonValue> | undefined {
    let changed: Record<string, JsonValue> | undefined;
    for (const [key, before] of this.#containers) {
      const encoded = encode(key, before.value);
      if (JSON.stringify(encoded) === before.text) continue;
      changed ??= {};
      changed[key] = encoded;
    }
    return changed;
  }

  #pendingKeys(changed: readonly string[]): string[] {
    const atReturn = this.#atReturn;
    if (atReturn === undefined) return [];
    const later = changed.filter((key) => {
      const then = atReturn.get(key);
      const source = this.#inputs.get(key);
      return then === undefined || source === undefined || Buffer.compare(then, logicalData(source)) !== 0;
    });
    // Changed at the return and back since: its end state is its input, and who restored it is not known.
    return [...later, ...[...atReturn.keys()].filter((key) => !changed.includes(key))];
  }
}
