import { builtinModules } from 'node:module';
import { requireHere } from './require-here.js';

/** Requiring these from a program prints a warning, and nothing in them runs code. */
const NOISY = new Set(['punycode', 'sys']);

const owners = new WeakMap<object, string>();
/** Modules whose exports are in `owners`. */
const indexed = new Set<string>();

/**
 * Who a function belongs to that a module only passes on: `node:child_process` for a built-in, a package's name for
 * what a CommonJS package exports, `globalThis` for the runtime's own; undefined for the module's own functions.
 * An application that exports its `fs` must not make every file operation callable from a recording.
 */
export function ownerOf(value: unknown): string | undefined {
  if (typeof value !== 'function') return undefined;
  indexOnce('globalThis', () => addValues(globalThis, 'globalThis', true));
  for (const name of loadedBuiltins()) {
    indexOnce(`node:${name}`, () => addValues(requireHere()(name), `node:${name}`, true));
  }
  for (const [path, cached] of Object.entries(requireHere().cache)) {
    const at = path.lastIndexOf('/node_modules/');
    if (at < 0 || cached === undefined) continue;
    const owner = packageAt(path.slice(at + '/node_modules/'.length));
    indexOnce(path, () => addValues(cached.exports, owner, false));
  }
  return owners.get(value);
}

function indexOnce(name: string, add: () => void): void {
  if (indexed.has(name)) return;
  indexed.add(name);
  add();
}

/** What a module exports was loaded with it: other built-ins need no look. */
function loadedBuiltins(): string[] {
  const loaded: unknown = Reflect.get(process, 'moduleLoadList');
  const names = builtinModules.filter((name) => !name.startsWith('_') && !NOISY.has(name));
  if (!Array.isArray(loaded)) return names;
  const isLoaded = new Set(loaded.map(String));
  return names.filter((name) => isLoaded.has(`NativeModule ${name}`));
}

/** The value, its own data properties, and, `isDeep`, those of the objects and classes among them: `fs.promises`, `Reflect`. */
function addValues(container: unknown, owner: string, isDeep: boolean): void {
  if ((typeof container !== 'object' || container === null) && typeof container !== 'function') return;
  if (typeof container === 'function' && !owners.has(container)) owners.set(container, owner);
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(container))) {
    if (typeof value === 'function' && !owners.has(value)) owners.set(value, owner);
    if (isDeep) addValues(value, owner, false);
  }
}

function packageAt(path: string): string {
  const [scope = '', name = ''] = path.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}
