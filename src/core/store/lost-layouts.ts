import type { CallRecord, ForeignTensor } from '../model/call.js';
import { Dump, type StoredTensor } from '../session/index.js';
import type { ConvertedDump, MovedTensor } from './convert-dump.js';

/** A dump whose files were written anew, and not its records yet. */
export interface NewFiles {
  /** Name of the dump in the session, and its new directory. */
  name: string;
  path: string;
  /** The new session's directory, without symbolic links. */
  realRoot: string;
}

/**
 * The tensors of another recorder's call of which the new files and the record as it is no longer tell everything: a
 * stride, an offset, a device, what they share, that they are parameters.
 */
export function lostLayouts(dump: Dump, { moved, format }: ConvertedDump, files: NewFiles): Set<string> {
  const lost = new Set<string>();
  if (dump.record.fir !== undefined) return lost;
  const reopened = reopen(dump, moved, format, files);
  try {
    const after = new Map<string, StoredTensor | undefined>();
    for (const [key, { data }] of moved) {
      const isOwn = 'key' in data && data.key === key;
      after.set(key, isOwn ? reopened.tensor(groupOf(dump, key), key) : undefined);
    }
    for (const [key, { stored }] of moved) if (!tells(stored, after.get(key))) lost.add(key);
    for (const sharing of sharedStorages(moved)) {
      const names = new Set(sharing.map((key) => after.get(key)?.storage));
      const isKept = names.size === 1 && !names.has(undefined) && sharing.every((key) => !lost.has(key));
      if (!isKept) for (const key of sharing) lost.add(key);
    }
  } finally {
    reopened.close();
  }
  return lost;
}

/** The new files under the record as it would be without further additions. */
function reopen(
  dump: Dump,
  moved: ReadonlyMap<string, MovedTensor>,
  format: CallRecord['tensor_format'],
  { name, path, realRoot }: NewFiles,
): Dump {
  const { foreign } = dump.record;
  const tensors: Record<string, ForeignTensor> = Object.create(null);
  for (const [key, layout] of Object.entries(foreign?.tensors ?? {})) {
    if (!moved.has(key)) tensors[key] = layout;
  }
  const record: CallRecord = { ...dump.record, tensor_format: format };
  if (foreign !== undefined) record.foreign = { ...foreign, tensors };
  return new Dump({ record, badLayouts: new Map(), text: '', dump: name, path, root: realRoot, realRoot });
}

function groupOf({ record }: Dump, key: string): 'inputs' | 'outputs' {
  return record.tensor_info.input_tensor_keys.includes(key) ? 'inputs' : 'outputs';
}

function tells(before: StoredTensor, after: StoredTensor | undefined): boolean {
  return (
    after !== undefined &&
    after.dtype === before.dtype &&
    after.device === before.device &&
    after.offset === before.offset &&
    after.shape.join() === before.shape.join() &&
    after.stride.join() === before.stride.join() &&
    after.parameter === before.parameter &&
    after.requiresGrad === before.requiresGrad
  );
}

/** Keys of tensors that lie in one memory, where there are several. */
function sharedStorages(moved: ReadonlyMap<string, MovedTensor>): string[][] {
  const byStorage = new Map<number | string, string[]>();
  for (const [key, { storage }] of moved) {
    const keys = byStorage.get(storage);
    if (keys === undefined) byStorage.set(storage, [key]);
    else keys.push(key);
  }
  return [...byStorage.values()].filter((keys) => keys.length > 1);
}
