import type { JsonObject } from '../model/json.js';

const WELL_KNOWN: ReadonlyMap<symbol, string> = new Map(
  Object.getOwnPropertyNames(Symbol).flatMap((name) => {
    const value: unknown = Reflect.get(Symbol, name);
    return typeof value === 'symbol' ? [[value, name] as const] : [];
  }),
);

const BY_NAME: ReadonlyMap<string, symbol> = new Map([...WELL_KNOWN].map(([value, name]) => [name, value]));

/** Encodes a symbol that another process can name too; undefined for one that is unique to this process. */
export function encodeSymbol(value: symbol): JsonObject | undefined {
  const name = WELL_KNOWN.get(value);
  if (name !== undefined) return { type: 'js.symbol', well_known: name };
  const key = Symbol.keyFor(value);
  return key === undefined ? undefined : { type: 'js.symbol', registered: key };
}

/** The symbol that `encodeSymbol` described; undefined for a malformed node or a name unknown to this runtime. */
export function decodeSymbol(node: JsonObject): symbol | undefined {
  if (typeof node['registered'] === 'string') return Symbol.for(node['registered']);
  return typeof node['well_known'] === 'string' ? BY_NAME.get(node['well_known']) : undefined;
}
