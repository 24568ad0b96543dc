import { FirError } from '../errors.js';

export interface FoundExport {
  value: unknown;
  /** What the value is a property of, where its path has two parts. */
  owner: object | undefined;
}

/**
 * Looks up `name` or `name.member` among a module's own exports. Never reads `constructor`, `prototype` or another
 * way from a value to code that the module does not export.
 *
 * @throws FirError NOT_ALLOWED for such a path, EXPORT_NOT_FOUND.
 */
export function findExport(exports: object, path: string, where: string): FoundExport {
  const parts = path.split('.');
  const [name = '', member] = parts;
  const forbidden = parts.find((part) => !isOrdinaryName(part));
  if (parts.length > 2 || forbidden !== undefined) {
    throw new FirError('NOT_ALLOWED', `the recorded export path '${path}' is not a name or Class.method`, {
      where,
    });
  }
  for (const container of containersOf(exports, name)) {
    if (!Object.hasOwn(container, name)) continue;
    const value: unknown = Reflect.get(container, name);
    if (member === undefined) return { value, owner: undefined };
    if (isObject(value)) {
      const found = Object.getOwnPropertyDescriptor(value, member);
      if (found !== undefined && 'value' in found) return { value: found.value, owner: value };
    }
  }
  throw new FirError('EXPORT_NOT_FOUND', `the module has no export '${path}'`, {
    where,
    hint: 'it may have been renamed since the capture; --target gives a stand-in',
  });
}

/** A method of a live object: its own, or from its classes. FirError EXPORT_NOT_FOUND, NOT_ALLOWED. */
export function findMethod(object: object, name: string): (...args: unknown[]) => unknown {
  return findFunctionAlong(object, name, Object.prototype);
}

/** A static method: of the class itself or of the classes it extends. */
export function findStatic(Class: object, name: string): (...args: unknown[]) => unknown {
  return findFunctionAlong(Class, name, Function.prototype);
}

function findFunctionAlong(start: object, name: string, end: object): (...args: unknown[]) => unknown {
  if (!isOrdinaryName(name))
    throw new FirError('NOT_ALLOWED', `'${name}' is not the name of a recorded method`);
  for (let at: object | null = start; at !== null && at !== end; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found === undefined) continue;
    if (typeof found.value === 'function') return found.value;
    break;
  }
  throw new FirError('EXPORT_NOT_FOUND', `the object has no method '${name}'`, {
    hint: 'it may have been renamed since the capture; --target gives a stand-in',
  });
}

/** A default export that is an object holds exports too: that of a CommonJS module, or `export default { … }`. */
function containersOf(exports: object, name: string): object[] {
  const fallback: unknown = Object.hasOwn(exports, 'default') ? Reflect.get(exports, 'default') : undefined;
  if (!isObject(fallback)) return [exports];
  const isTranspiled =
    name === 'default' && typeof fallback !== 'function' && Object.hasOwn(fallback, 'default');
  return isTranspiled ? [fallback, exports] : [exports, fallback];
}

function isOrdinaryName(name: string): boolean {
  return name !== '' && name !== 'constructor' && name !== 'prototype' && !/^__.*__$/.test(name);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
