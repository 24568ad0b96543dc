import { quoteKey } from '../safetensors/quote-key.js';
import { TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { opaque } from './opaque.js';
import { PickleGlobal, PickleList, PickleReference, type PickleValue } from './pickle-values.js';
import { describeForeign } from './torch-host.js';
import type { TorchOpaque, TorchTensor } from './types.js';

type Container = PickleList | readonly PickleValue[] | Map<PickleValue, PickleValue>;

/**
 * Every tensor and opaque value of the value at the top, by name: the keys and positions that lead to it, joined by dots
 * (`''` for the top itself). A container that is met twice is walked once. Throws a fault past a bound.
 */
export function collectEntries(top: PickleValue): Map<string, TorchTensor | TorchOpaque> {
  const collector = new Collector();
  collector.collect('', top, 0);
  return collector.entries;
}

class Collector {
  readonly entries = new Map<string, TorchTensor | TorchOpaque>();
  /** Where each container was met first. */
  readonly #walked = new Map<Container, string>();
  readonly #hasContent = new Map<Container, boolean>();
  #nameLength = 0;

  collect(name: string, value: PickleValue, depth: number): void {
    const container = containerOf(value);
    if (container === undefined) this.#add(name, describe(value));
    else if (!this.#holdsContent(container, 0)) this.#addPlain(name, container);
    else this.#walk(name, container, depth);
  }

  #walk(name: string, container: Container, depth: number): void {
    const before = this.#walked.get(container);
    if (before !== undefined) {
      this.#add(name, opaque(`the same ${nounOf(container)} as ${quoteKey(before)}`));
      return;
    }
    this.#walked.set(container, name);
    for (const [key, value] of pairsOf(container)) {
      this.collect(depth === 0 ? key : `${name}.${key}`, value, depth + 1);
    }
  }

  /** Numbers and texts are named one by one only beside a tensor or an opaque value. */
  #addPlain(name: string, container: Container): void {
    const count = container instanceof Map ? container.size : itemsOf(container).length;
    if (count === 0) return;
    this.#add(name, opaque(`a ${nounOf(container)} of ${count} items, none of them a tensor`));
  }

  #add(name: string, entry: TorchTensor | TorchOpaque): void {
    this.#nameLength += name.length;
    if (name.length > LIMITS.entryName || this.#nameLength > LIMITS.entryNames) {
      throw new TorchFault(`the keys that lead to a value are longer than ${LIMITS.entryName} characters`);
    }
    if (this.entries.has(name)) {
      this.entries.set(name, opaque(`several values are called ${quoteKey(name)}`));
      return;
    }
    if (this.entries.size >= LIMITS.entries) {
      throw new TorchFault(`the file has more than ${LIMITS.entries} values`);
    }
    this.entries.set(name, entry);
  }

  #holdsContent(container: Container, depth: number): boolean {
    const known = this.#hasContent.get(container);
    if (known !== undefined) return known;
    if (depth > LIMITS.nesting) {
      throw new TorchFault(`the values are nested deeper than ${LIMITS.nesting} levels`);
    }
    // One that holds itself is asked again inside of itself.
    this.#hasContent.set(container, false);
    let holds = false;
    for (const value of container instanceof Map ? container.values() : itemsOf(container)) {
      const inner = containerOf(value);
      const isContent = inner === undefined ? isShown(value) : this.#holdsContent(inner, depth + 1);
      holds ||= isContent;
    }
    this.#hasContent.set(container, holds);
    return holds;
  }
}

function containerOf(value: PickleValue): Container | undefined {
  if (value instanceof PickleList || value instanceof Map) return value;
  return Array.isArray(value) ? value : undefined;
}

function itemsOf(container: PickleList | readonly PickleValue[]): readonly PickleValue[] {
  return container instanceof PickleList ? container.items : container;
}

function nounOf(container: Container): string {
  if (container instanceof Map) return 'dict';
  return container instanceof PickleList ? 'list' : 'tuple';
}

function* pairsOf(container: Container): Generator<[string, PickleValue]> {
  if (container instanceof Map) {
    for (const [key, value] of container) yield [textOf(key), value];
    return;
  }
  for (const [index, value] of itemsOf(container).entries()) yield [String(index), value];
}

const TUPLE_SHOWN = 8;
const TEXT_SHOWN = 100;

/** A key as Python would print it, but for strings, which stand as they are. */
function textOf(key: PickleValue, depth = 0): string {
  if (typeof key === 'string') return depth === 0 ? key : JSON.stringify(key.slice(0, TEXT_SHOWN));
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  if (typeof key === 'number' || typeof key === 'bigint') return String(key);
  if (!Array.isArray(key) || depth > 2) return `<${describe(key).kind === 'tensor' ? 'tensor' : 'object'}>`;
  const items = key.slice(0, TUPLE_SHOWN).map((item: PickleValue) => textOf(item, depth + 1));
  return `(${items.join(', ')}${key.length > TUPLE_SHOWN ? ', …' : ''})`;
}

/** Whether a value that is no container is worth a line of its own. */
function isShown(value: PickleValue): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function describe(value: PickleValue): TorchTensor | TorchOpaque {
  if (typeof value === 'object' && value !== null) {
    if ('kind' in value) return value;
    if (value instanceof PickleGlobal) return describeForeign(value);
    if (value instanceof PickleReference) return opaque('a storage, not a tensor');
    if (value instanceof Set) return opaque(`a set of ${value.size} items, not a tensor`);
    if (value instanceof Uint8Array) return opaque(`${value.byteLength} bytes, not a tensor`);
    return opaque('a container, not a tensor');
  }
  if (value === null) return opaque('None, not a tensor');
  if (typeof value === 'boolean') return opaque('a bool, not a tensor');
  return opaque(typeof value === 'string' ? 'a text, not a tensor' : 'a number, not a tensor');
}
