import { builtinModules, createRequire } from 'node:module';

const requireHere = createRequire(import.meta.url);

/** Requiring these from a program prints a warning, and nothing in them runs code. */
const NOISY = new Set(['punycode', 'sys']);

/** Looking through every built-in takes a while, and an export is called again and again. */
const known = new WeakMap<object, { owner: string | undefined }>();

/**
 * Who a function belongs to that a module only passes on: `node:child_process` for a built-in, a package's name for
 * what a CommonJS package exports, `globalThis` for the runtime's own; undefined for the module's own functions.
 * An application that exports its `fs` must not make every file operation callable from a recording.
 */
export function ownerOf(value: unknown): string | undefined {
  if (typeof value !== 'function') return undefined;
  const found = known.get(value) ?? { owner: findOwner(value) };
  known.set(value, found);
  return found.owner;
}

function findOwner(value: object): string | undefined {
  if (hasValue(globalThis, value)) return 'globalThis';
  for (const name of loadedBuiltins()) {
    if (hasValue(requireHere(name), value)) return `node:${name}`;
  }
  for (const [path, cached] of Object.entries(requireHere.cache)) {
    const at = path.lastIndexOf('/node_modules/');
    if (at >= 0 && cached !== undefined && (cached.exports === value || hasOwnValue(cached.exports, value))) {
      return packageAt(path.slice(at + '/node_modules/'.length));
    }
  }
  return undefined;
}

/** What a module exports was loaded with it: other built-ins need no look. */
function loadedBuiltins(): string[] {
  const loaded: unknown = Reflect.get(process, 'moduleLoadList');
  const names = builtinModules.filter((name) => !name.startsWith('_') && !NOISY.has(name));
  if (!Array.isArray(loaded)) return names;
  const isLoaded = new Set(loaded.map(String));
  return names.filter((name) => isLoaded.has(`NativeModule ${name}`));
}

/** Own data properties, and those of the objects and classes among them: `fs.promises`, `Reflect`, `process`. */
function hasValue(container: object, value: unknown): boolean {
  if (container === value || hasOwnValue(container, value)) return true;
  return Object.values(Object.getOwnPropertyDescriptors(container)).some(({ value: inner }) =>
    hasOwnValue(inner, value),
  );
}

function hasOwnValue(container: unknown, value: unknown): boolean {
  if ((typeof container !== 'object' || container === null) && typeof container !== 'function') return false;
  return Object.values(Object.getOwnPropertyDescriptors(container)).some(
    (property) => property.value === value,
  );
}

function packageAt(path: string): string {
  const [scope = '', name = ''] = path.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}
