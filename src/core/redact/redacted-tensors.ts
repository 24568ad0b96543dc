import type { AdapterRedaction } from '../adapters/contract.js';
import { FirError } from '../errors.js';
import type { JsonObject } from '../model/json.js';
import type { LayoutStatistics, TensorLayout } from '../model/tensor.js';
import type { Dump, StoredTensor, TensorGroupName } from '../session/index.js';
import { storedStatistics } from './stored-statistics.js';

/** `fir.tensors` of a call without values: layouts and sharing as they were, statistics in the values' place. */
export function redactedLayouts(
  dump: Dump,
  adapter: AdapterRedaction | undefined,
): Record<string, TensorLayout> {
  const { record } = dump;
  const inputs = new Set(dump.keys('inputs'));
  const layouts = Object.entries(record.fir?.tensors ?? {}).map(([key, layout]): [string, TensorLayout] => {
    const { data, stats: _, ...rest } = layout;
    if (data === undefined || 'sameAs' in data) return [key, data === undefined ? rest : { ...rest, data }];
    const sha256 = 'sha256' in data ? data.sha256 : undefined;
    const isModel = adapter?.isModel(record.function_name, key) === true;
    const stats = statisticsOf(dump, inputs.has(key) ? 'inputs' : 'outputs', key);
    return [
      key,
      {
        ...rest,
        data: { redacted: true, ...(isModel && sha256 !== undefined ? { sha256 } : {}) },
        ...(stats === undefined ? {} : { stats }),
      },
    ];
  });
  return Object.fromEntries(layouts);
}

/** Statistics of what arguments ended as that the call changed. */
export function mutatedStatistics(dump: Dump): Record<string, LayoutStatistics> {
  const found = dump.keys('mutated').flatMap((key): [string, LayoutStatistics][] => {
    const stats = statisticsOf(dump, 'mutated', key);
    return stats === undefined ? [] : [[key, stats]];
  });
  return Object.fromEntries(found);
}

/** All tensors of a call that another recorder wrote, as additions to its record. Those that can't be read are left out. */
export function foreignLayouts(dump: Dump): Record<string, JsonObject> {
  const storages = new Map<number | string, number>();
  const layouts: Record<string, JsonObject> = {};
  for (const group of ['inputs', 'outputs'] as const) {
    for (const key of dump.keys(group)) {
      const stored = storedOf(dump, group, key);
      if (stored === undefined) continue;
      const { dtype, shape, stride, offset, device, storageBytes } = stored;
      const id = stored.storage ?? `${group} ${key}`;
      const storage = storages.get(id) ?? storages.size + 1;
      storages.set(id, storage);
      const stats = statisticsOf(dump, group, key);
      layouts[key] = {
        ...{ storage, storageBytes, offset, stride, shape, dtype, device },
        ...(stored.parameter === true ? { parameter: true } : {}),
        ...(stored.requiresGrad === true ? { requiresGrad: true } : {}),
        data: { redacted: true },
        ...(stats === undefined ? {} : { stats: { ...stats } }),
      };
    }
  }
  return layouts;
}

/** The record's keys, of the layouts that are known. */
export function layoutsOf<T>(
  layouts: Readonly<Record<string, T>>,
  keys: readonly string[],
): Record<string, T> {
  const wanted = new Set(keys);
  return Object.fromEntries(Object.entries(layouts).filter(([key]) => wanted.has(key)));
}

function statisticsOf(dump: Dump, group: TensorGroupName, key: string): LayoutStatistics | undefined {
  const stored = storedOf(dump, group, key);
  return stored === undefined ? undefined : storedStatistics(stored);
}

function storedOf(dump: Dump, group: TensorGroupName, key: string): StoredTensor | undefined {
  try {
    return dump.tensor(group, key);
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}
