import { type RecordedFunction, roleOf } from '../recorded-function.js';
import type { TensorGroup } from '../tensor-group.js';
import type { StorageId } from './kept-call.js';

/** Memory of a call's arguments that it may write to, by tensor key. */
export function writableMemory(fn: RecordedFunction, { keys, layouts }: TensorGroup): Map<string, StorageId> {
  const memory = new Map<string, StorageId>();
  for (const key of keys) {
    const layout = layouts[key];
    if (layout !== undefined && roleOf(fn, key) !== 'in') memory.set(key, layout.storage);
  }
  return memory;
}

/** That which it changed, or may have changed where nobody looked. */
export function changedMemory(
  memory: ReadonlyMap<string, StorageId>,
  mutatedKeys: readonly string[] | undefined,
  pendingKeys: readonly string[],
): StorageId[] {
  if (mutatedKeys === undefined) return [...memory.values()];
  return [...mutatedKeys, ...pendingKeys].flatMap((key) => memory.get(key) ?? []);
}
