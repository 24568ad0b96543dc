import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { bitwiseDifference } from '../compare/index.js';
import { stringifyJson } from '../json/index.js';
import type { DtypeName } from '../model/dtype.js';
import type { JsonValue } from '../model/json.js';
import { Tensor } from '../tensor/index.js';
import type { RunDifference } from './protocol.js';

/** What a run gave, in a form that can be held against another run's. */
export type RunOutput =
  | { kind: 'tensor'; tensor: Tensor }
  | { kind: 'strings'; shape: readonly number[]; strings: readonly string[] }
  | { kind: 'value'; value: JsonValue };

type KeptOutput =
  | { kind: 'tensor'; dtype: DtypeName; shape: readonly number[]; bytes: Uint8Array }
  | Exclude<RunOutput, { kind: 'tensor' }>;

/** Writes what a run gave to a file. Throws where that is more than one buffer can hold. */
export function keepOutputs(path: string, outputs: ReadonlyMap<string, RunOutput>): void {
  const kept = [...outputs].map(([key, output]): [string, KeptOutput] => {
    if (output.kind !== 'tensor') return [key, output];
    const { dtype, shape } = output.tensor;
    return [key, { kind: 'tensor', dtype, shape, bytes: output.tensor.contiguousBytes() }];
  });
  writeFileSync(path, serialize(kept), { mode: 0o600 });
}

/** What `keepOutputs` wrote. */
export function keptOutputs(path: string): Map<string, RunOutput> {
  const kept = deserialize(readFileSync(path)) as [string, KeptOutput][];
  return new Map(
    kept.map(([key, output]): [string, RunOutput] => {
      if (output.kind !== 'tensor') return [key, output];
      const { dtype, shape, bytes } = output;
      return [key, { kind: 'tensor', tensor: Tensor.fromBytes(dtype, shape, bytes) }];
    }),
  );
}

/** Outputs of one run that differ from another's in any bit. */
export function differingOutputs(
  actual: ReadonlyMap<string, RunOutput>,
  first: ReadonlyMap<string, RunOutput>,
): RunDifference[] {
  const differing: RunDifference[] = [];
  for (const key of new Set([...first.keys(), ...actual.keys()])) {
    const difference = differenceOf(actual.get(key), first.get(key));
    if (difference.elements > 0) differing.push({ key, ...difference });
  }
  return differing;
}

function differenceOf(a: RunOutput | undefined, b: RunOutput | undefined): Omit<RunDifference, 'key'> {
  if (a?.kind === 'tensor' && b?.kind === 'tensor') return bitwiseDifference(a.tensor, b.tensor);
  if (a?.kind === 'strings' && b?.kind === 'strings') {
    const count = Math.max(a.strings.length, b.strings.length);
    const places = Array.from({ length: count }, (_, at) => at);
    return { elements: places.filter((at) => a.strings[at] !== b.strings[at]).length, maxAbs: 0 };
  }
  if (a?.kind === 'value' && b?.kind === 'value') return differenceOfValues(a.value, b.value);
  return { elements: 1, maxAbs: Number.POSITIVE_INFINITY };
}

function differenceOfValues(a: JsonValue, b: JsonValue): Omit<RunDifference, 'key'> {
  if (stringifyJson(a) === stringifyJson(b)) return { elements: 0, maxAbs: 0 };
  const areNumbers = typeof a === 'number' && typeof b === 'number';
  return { elements: 1, maxAbs: areNumbers ? Math.abs(a - b) : 0 };
}
