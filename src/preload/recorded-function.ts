import type { MemberKind, Resolution } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorRole } from '../core/model/tensor.js';

/** What the recorder knows about one function, constructor or method. */
export interface RecordedFunction {
  /** `fn`, `Class.method`, `Class.__init__`. */
  name: string;
  module: string;
  kind: MemberKind;
  signature: string;
  /** Shared by the members of a class, so that an answer found later reaches all of them. */
  resolve: { current: Resolution | undefined };
  /** Declared roles of tensor keys; undefined is `unknown`. */
  roleOf?: ((key: string) => TensorRole) | undefined;
  encodeArgument?: ((index: number, value: unknown) => JsonValue | undefined) | undefined;
  isBlob?: ((key: string) => boolean) | undefined;
  /** The class whose object the call makes: constructors, and static factories of an adapter. */
  constructs?: string | undefined;
  /** Why no call of it can be replayed. */
  problem?: string | undefined;
  /** The class of an object that a call of this constructor or static method may make. */
  makes?: ((object: object) => string | undefined) | undefined;
}

export function roleOf(fn: RecordedFunction, key: string): TensorRole {
  return fn.roleOf?.(key) ?? 'unknown';
}

/** Whether an argument of this role is compared after the call with what it held before. */
export function isChecked(role: TensorRole): boolean {
  return role === 'inout' || role === 'unknown';
}

/** The roles that were declared for some of these keys, as a record holds them. */
export function declaredRoles(
  fn: RecordedFunction,
  keys: readonly string[],
): Record<string, TensorRole> | undefined {
  if (fn.roleOf === undefined) return undefined;
  const roles: Record<string, TensorRole> = {};
  for (const key of keys) {
    const role = fn.roleOf(key);
    if (role !== 'unknown') roles[key] = role;
  }
  return roles;
}

/** Roles by tensor key; a role for `arg_1` holds for what is nested in it too. */
export function rolesFrom(declared: Readonly<Record<string, TensorRole>>): (key: string) => TensorRole {
  return (key) => {
    for (let name = key; ; ) {
      if (Object.hasOwn(declared, name)) return declared[name] ?? 'unknown';
      const cut = name.lastIndexOf('__');
      if (cut <= 0) return 'unknown';
      name = name.slice(0, cut);
    }
  };
}

/** The parameter list as the source writes it, for people. */
export function signatureOf(callable: unknown): string {
  if (typeof callable !== 'function') return '()';
  const source = Function.prototype.toString.call(callable);
  if (source.startsWith('class')) {
    const declared = /\bconstructor\s*\(([^)]*)\)/.exec(source);
    return `(${clean(declared?.[1] ?? '')})`;
  }
  if (source.includes('[native code]')) return '(...)';
  const arrow = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(source);
  if (arrow !== null) return `(${arrow[1]})`;
  const open = source.indexOf('(');
  let depth = 0;
  for (let at = open; at >= 0 && at < Math.min(source.length, open + 400); at += 1) {
    if (source[at] === '(') depth += 1;
    if (source[at] === ')') depth -= 1;
    if (depth === 0) return `(${clean(source.slice(open + 1, at))})`;
  }
  return '(...)';
}

/** Whether a call gets something by its `this`: an arrow function never does. */
export function readsThis(callable: unknown): boolean {
  const source = Function.prototype.toString.call(callable);
  const isArrow = /^(?:async\b\s*)?(?:\(|[\w$]+\s*=>)/.test(source);
  return !isArrow && /\bthis\b/.test(source);
}

function clean(parameters: string): string {
  return parameters.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
