import type { FirFields, Resolution } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { EncodedArguments } from './encode-arguments.js';
import { declaredRoles, type RecordedFunction } from './recorded-function.js';

/** What the first record of a call says about its kind and about whether it can be replayed. */
export function startFields(
  fn: RecordedFunction,
  { isObjectUnknown, objectClass }: { isObjectUnknown: boolean; objectClass: string | undefined },
  { metadata, problems, isTruncated }: EncodedArguments,
  keys: readonly string[],
): Pick<FirFields, 'kind'> & Partial<FirFields> {
  const containers = Object.keys(metadata).filter((key) => isObject(metadata[key]));
  const roles = declaredRoles(fn, [...keys, ...containers]);
  const className = fn.name.slice(0, fn.name.lastIndexOf('.'));
  const reasons = [...problems];
  if (fn.problem !== undefined) reasons.push(fn.problem);
  // Run with `super`: nested in the method that overrides it, which replay runs; by its name that one would be found.
  const isOverridden = fn.kind === 'method' && objectClass !== undefined && objectClass !== className;
  if (isOverridden) reasons.push(`${objectClass} overrides it: it can only run inside a call that does`);
  if (isObjectUnknown) reasons.push(`its object, a ${className}, was not constructed while recording`);
  return {
    kind: fn.kind,
    ...(fn.constructs === undefined ? {} : { constructs: true, self_class: fn.constructs }),
    ...(isOverridden ? { self_class: objectClass } : {}),
    ...(roles === undefined ? {} : { roles }),
    ...(reasons.length === 0 ? {} : { not_replayable: reasons }),
    ...(isTruncated ? { truncated: true } : {}),
  };
}

/** A tentative answer stands in the process header only: a record says what is known for sure. */
export function settledResolution(fn: RecordedFunction): Resolution | undefined {
  const { current } = fn.resolve;
  return current?.kind === 'module' && current.tentative ? undefined : current;
}

function isObject(value: JsonValue | undefined): boolean {
  return typeof value === 'object' && value !== null;
}
