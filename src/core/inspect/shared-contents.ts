import type { Dump } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import type { CallTensors } from './call-tensors.js';

/** A tensor that stands under `blobs/`. */
export interface SharedContent {
  sha256: string;
  bytes: number;
}

/** Those of a call by its record. */
export function sharedContents({ record }: Dump, groups: CallTensors['groups']): SharedContent[] {
  const layouts = (record.fir ?? record.foreign)?.tensors ?? {};
  const ended = record.fir?.mutated_data ?? {};
  return (['inputs', 'outputs', 'mutated'] as const).flatMap((group) =>
    groups[group].flatMap(({ key, bytes = 0 }): SharedContent[] => {
      const data = group === 'mutated' ? ownField(ended, key) : ownField(layouts, key)?.data;
      if (data === undefined || !('sha256' in data) || 'redacted' in data) return [];
      return [{ sha256: data.sha256, bytes }];
    }),
  );
}
