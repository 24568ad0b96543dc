import type { TensorSource } from '../core/model/tensor.js';
import { logicalData } from '../core/tensor-files/tensor-data.js';
import { DigestSnapshot } from './digest-snapshot.js';
import { isChecked, type RecordedFunction, roleOf } from './recorded-function.js';
import { type ArgumentSnapshot, isGone, Snapshot } from './snapshot.js';
import type { TensorGroup } from './tensor-group.js';

/** What became of the arguments. */
export interface ArgumentChanges {
  /** Absent where nothing was checked. */
  mutatedKeys: string[] | undefined;
  /** Changed after the synchronous return of an async call: who did it is not known. */
  pendingKeys: string[];
  /** Arguments whose memory the call gave away: nobody can say what they hold. */
  goneKeys: string[];
  /** Tensors to store: those that changed at some time, and those that are outputs by their role. */
  sources: ReadonlyMap<string, TensorSource>;
}

/** Watches the tensors among the arguments of one call for changes made in place. */
export class ArgumentChecks {
  readonly #inputs: ReadonlyMap<string, TensorSource>;
  readonly #snapshot: ArgumentSnapshot | undefined;
  readonly #outKeys = new Set<string>();
  readonly #isChecked: boolean;
  /** What the synchronous part of an async call had changed, with what the tensors held then. */
  #atReturn: Map<string, Uint8Array> | undefined;

  constructor(
    fn: RecordedFunction,
    inputs: ReadonlyMap<string, TensorSource>,
    group: TensorGroup,
    dump: string,
  ) {
    const checked = new Map<string, TensorSource>();
    for (const key of inputs.keys()) {
      const role = roleOf(fn, key);
      // A tensor that was passed twice may be written through the key that it is not stored under.
      const original = originalOf(key, group);
      const source = inputs.get(original);
      if (role === 'out') this.#outKeys.add(original);
      else if (source !== undefined && isChecked(role) && isHeld(fn, group, original, source)) {
        checked.set(original, source);
      }
    }
    this.#inputs = inputs;
    this.#isChecked = checked.size > 0 || inputs.size === 0 || this.#outKeys.size > 0;
    this.#snapshot = checked.size === 0 ? undefined : snapshotOf(group, dump, checked);
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

  /** What an output holds after a failure is nobody's promise: it is left out. */
  changes(hasFailed: boolean): ArgumentChanges {
    const goneKeys = [...this.#inputs.keys()].filter((key) => this.#isGone(key));
    const changed = this.#snapshot?.changedKeys() ?? [];
    const outKeys = hasFailed ? [] : [...this.#outKeys].filter((key) => !this.#isGone(key));
    const keys = [...new Set([...changed, ...outKeys])];
    const pendingKeys = this.#pendingKeys(changed).filter((key) => !this.#isGone(key));
    const sources = new Map<string, TensorSource>();
    for (const key of [...keys, ...pendingKeys]) {
      const source = this.#inputs.get(key);
      if (source !== undefined) sources.set(key, source);
    }
    return { mutatedKeys: this.#isChecked ? keys : undefined, pendingKeys, goneKeys, sources };
  }

  #isGone(key: string): boolean {
    const source = this.#inputs.get(key);
    return source !== undefined && isGone(source);
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

function snapshotOf(group: TensorGroup, dump: string, checked: Map<string, TensorSource>): ArgumentSnapshot {
  return group.isRedacted ? new DigestSnapshot(checked) : new Snapshot(group, dump, checked);
}

/** Whether it is known what a tensor held: from the file, or where nothing is written from the memory itself. */
function isHeld(fn: RecordedFunction, group: TensorGroup, key: string, { strings }: TensorSource): boolean {
  if (fn.isBlob?.(key) === true) return false;
  if (!group.isRedacted) return group.positions.has(key) || group.blobs.has(key);
  return group.layouts[key]?.data !== undefined && strings === undefined;
}

/** The key that a tensor of the group is stored under. */
function originalOf(key: string, group: TensorGroup): string {
  const data = group.layouts[key]?.data;
  return data !== undefined && 'sameAs' in data ? data.sameAs : key;
}
