import type { JsonObject, JsonValue } from '../model/json.js';

/** What a field holds is anybody's guess: each of these gives the value where it has the type, else undefined. */
export function objectFrom(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

export function stringFrom(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberFrom(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** An integer from 0 to 2^53 - 1. */
export function countFrom(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A count of calls, or a process id: an integer from 0 that fits 32 bits with room for marks. */
export function smallCountFrom(value: JsonValue | undefined): number | undefined {
  const count = countFrom(value);
  return count !== undefined && count < 0xffffff00 ? count : undefined;
}

/** Undefined when any entry is no string. */
export function stringsFrom(value: JsonValue | undefined): string[] | undefined {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
}

/** Undefined when any entry is no integer from 0 to 2^53 - 1. */
export function countsFrom(value: JsonValue | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const counts: number[] = [];
  for (const entry of value) {
    const count = countFrom(entry);
    if (count === undefined) return undefined;
    counts.push(count);
  }
  return counts;
}

/** An own field: a file may name one `__proto__` or `constructor`, or lack one that every object inherits. */
export function ownField<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Keeps the fields that `convert` understands, in an object without a prototype. */
export function fieldsFrom<T>(
  value: JsonValue | undefined,
  convert: (value: JsonValue, name: string) => T | undefined,
): Record<string, T> {
  const fields: Record<string, T> = Object.create(null);
  for (const [name, field] of Object.entries(objectFrom(value) ?? {})) {
    const converted = convert(field, name);
    if (converted !== undefined) fields[name] = converted;
  }
  return fields;
}
