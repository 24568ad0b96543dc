import type { Dump, StoredTensor, TensorGroupName } from '../session/index.js';
import { reasonOf } from '../session/reason-of.js';
import { elementCount } from '../tensor/index.js';
import { recordedStatistics, statisticsOf } from './statistics.js';
import { hashTensor } from './tensor-hash.js';
import type { InspectTensor } from './types.js';

export interface TensorOptions {
  stats?: boolean;
  hash?: boolean;
}

/** The tensors of a call by group, and what all of them hold together. */
export interface CallTensors {
  groups: Record<TensorGroupName, InspectTensor[]>;
  /** Logical bytes; a tensor that is recorded as the same as another counts once. */
  bytes: number;
}

const GROUPS: readonly TensorGroupName[] = ['inputs', 'outputs', 'mutated'];

export function inspectTensors(dump: Dump, options: TensorOptions): CallTensors {
  const groups: CallTensors['groups'] = { inputs: [], outputs: [], mutated: [] };
  const keysByStorage = new Map<number | string, Set<string>>();
  const shareable: { tensor: InspectTensor; storage: number | string }[] = [];
  let bytes = 0;
  for (const group of GROUPS) {
    for (const key of dump.keys(group)) {
      const { tensor, stored } = inspectTensor(dump, group, key, options);
      groups[group].push(tensor);
      if (stored?.sameAs === undefined) bytes += tensor.bytes ?? 0;
      const storage = stored?.storage;
      if (storage === undefined) continue;
      shareable.push({ tensor, storage });
      const keys = keysByStorage.get(storage);
      if (keys === undefined) keysByStorage.set(storage, new Set([key]));
      else keys.add(key);
    }
  }
  for (const { tensor, storage } of shareable) {
    const others = [...(keysByStorage.get(storage) ?? [])].filter((key) => key !== tensor.key);
    if (others.length > 0) tensor.sharedWith = others;
  }
  return { groups, bytes };
}

function inspectTensor(
  dump: Dump,
  group: TensorGroupName,
  key: string,
  options: TensorOptions,
): { tensor: InspectTensor; stored?: StoredTensor } {
  let stored: StoredTensor;
  try {
    stored = dump.tensor(group, key);
  } catch (error) {
    return { tensor: { key, error: reasonOf(error) } };
  }
  const { dtype, shape, stride, offset, device } = stored;
  const bytes = stored.byteLength;
  const tensor: InspectTensor = { key, dtype, shape, stride, offset, device, bytes };
  const { storedBytes, parameter, requiresGrad } = stored;
  if (storedBytes !== undefined && storedBytes > bytes) tensor.storedBytes = storedBytes;
  if (parameter === true) tensor.parameter = true;
  if (requiresGrad === true) tensor.requiresGrad = true;
  if (stored.redacted === true) {
    tensor.redacted = true;
    if (options.stats === true && stored.stats !== undefined && dtype !== 'string')
      tensor.stats = recordedStatistics(stored.stats);
    if (options.hash === true && stored.redactedModel !== undefined) tensor.sha256 = stored.redactedModel;
    if (group === 'inputs' && stored.redactedModel !== undefined) tensor.error = 'a model that was redacted';
    return { tensor, stored };
  }
  // The contents of an argument that the call only writes are not there to be missed.
  if (group === 'inputs' && isWrittenOnly(dump, key)) return { tensor, stored };
  try {
    stored.verify();
    if (options.stats === true) {
      const stats = statisticsOf(dtype, elementCount(shape), () => stored.chunks());
      if (stats !== undefined) tensor.stats = stats;
    }
    if (options.hash === true) tensor.sha256 = hashTensor(stored);
  } catch (error) {
    tensor.error = reasonOf(error);
  }
  return { tensor, stored };
}

function isWrittenOnly(dump: Dump, key: string): boolean {
  const fir = dump.record.fir;
  const role = fir?.roles !== undefined && Object.hasOwn(fir.roles, key) ? fir.roles[key] : undefined;
  const hasContents =
    fir !== undefined && Object.hasOwn(fir.tensors, key) && fir.tensors[key]?.data !== undefined;
  return (role === 'out' || role === 'scratch') && !hasContents;
}
