import type { JsonValue } from '../model/json.js';

/** Deeper nesting than any argument has. */
const MAX_DEPTH = 100;

const PART = String.raw`(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+\-][0-9]+)?`;
const END = String.raw`(?![\w.])`;
const SPACE = / */y;
const NAME = /(?:None|True|False)(?![\w.])/y;
const COMPLEX = new RegExp(String.raw`\(-?${PART}[+\-]${PART}j\)|-?${PART}(?:[+\-]${PART})?j${END}`, 'y');
const NUMBER = new RegExp(`-?${PART}${END}`, 'y');
const ESCAPE = String.raw`\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})`;
const UNPRINTED = String.raw`\\\p{Cc}\p{Cs}`;
const TEXT = new RegExp(`'(?:[^'${UNPRINTED}]|${ESCAPE})*'|"(?:[^"${UNPRINTED}]|${ESCAPE})*"`, 'yu');
const BYTE_ESCAPE = String.raw`\\(?:[\\'"nrt]|x[0-9a-f]{2})`;
const BYTES = new RegExp(
  String.raw`b'(?:[ -&(-\[\]-~]|${BYTE_ESCAPE})*'|b"(?:[ !#-\[\]-~]|${BYTE_ESCAPE})*"`,
  'y',
);

const NAMES: ReadonlyMap<string, JsonValue> = new Map([
  ['None', null],
  ['True', true],
  ['False', false],
]);
const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** What a literal is of; `scalar`: None, a bool, a number or a text. */
export type LiteralType = 'scalar' | 'bytes' | 'list' | 'tuple' | 'dict' | 'set';

export interface PythonLiteral {
  type: LiteralType;
  /** Whether it can be a key of a dict or an item of a set. */
  hasHash: boolean;
  /** As FlashInfer's recorder encodes values. */
  encoded: JsonValue;
}

/**
 * Reads what Python's `str` prints of plain values: numbers, texts, bytes, None, True, False, and tuples, lists, dicts and
 * sets of them; undefined for any other text. The Python worker reads the same grammar, token by token.
 */
export function readLiteral(text: string): PythonLiteral | undefined {
  const scanner = new Scanner(text);
  const literal = scanner.value(0);
  return scanner.isAtEnd() ? literal : undefined;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#take(SPACE);
    return this.#at === this.#text.length;
  }

  value(depth: number): PythonLiteral | undefined {
    if (depth > MAX_DEPTH) return undefined;
    this.#take(SPACE);
    const begin = this.#at;
    // Complex numbers may begin as other numbers and as tuples do.
    if (this.#take(NAME)) return scalar(NAMES.get(this.#since(begin)) ?? null);
    if (this.#take(COMPLEX)) return scalar({ type: 'complex', repr: this.#since(begin) });
    if (this.#take(NUMBER)) return scalar(numberOf(this.#since(begin)));
    if (this.#take(TEXT)) return scalar(unquote(this.#since(begin)));
    if (this.#take(BYTES)) return { ...scalar({ type: 'bytes', repr: this.#since(begin) }), type: 'bytes' };
    if (this.#takeMark('set()')) return this.#set(begin);
    if (this.#takeMark('[')) return this.#list(depth);
    if (this.#takeMark('(')) return this.#tuple(depth);
    return this.#takeMark('{') ? this.#braces(begin, depth) : undefined;
  }

  #list(depth: number): PythonLiteral | undefined {
    const found = this.#items(']', depth);
    return found && { type: 'list', hasHash: false, encoded: container('list', found.items.map(encodedOf)) };
  }

  #tuple(depth: number): PythonLiteral | undefined {
    const found = this.#items(')', depth);
    if (found === undefined || (found.items.length === 1 && !found.endsWithComma)) return undefined;
    const hasHash = found.items.every((item) => item.hasHash);
    return { type: 'tuple', hasHash, encoded: container('tuple', found.items.map(encodedOf)) };
  }

  #set(begin: number): PythonLiteral {
    return { type: 'set', hasHash: false, encoded: { type: 'set', repr: this.#since(begin) } };
  }

  #items(close: string, depth: number): { items: PythonLiteral[]; endsWithComma: boolean } | undefined {
    const items: PythonLiteral[] = [];
    let endsWithComma = false;
    while (!this.#takeMark(close)) {
      if (items.length > 0 && !endsWithComma) return undefined;
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      endsWithComma = this.#takeMark(',');
    }
    return { items, endsWithComma };
  }

  /** A dict, or a set where its first item is no pair. */
  #braces(begin: number, depth: number): PythonLiteral | undefined {
    const pairs: JsonValue[] = [];
    let isOpen = !this.#takeMark('}');
    while (isOpen) {
      const key = this.value(depth + 1);
      if (key?.hasHash !== true) return undefined;
      if (!this.#takeMark(':')) return pairs.length === 0 ? this.#restOfSet(begin, depth) : undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      pairs.push({ key: key.encoded, value: value.encoded });
      const hasMore = this.#takeMark(',');
      isOpen = !this.#takeMark('}');
      if (isOpen && !hasMore) return undefined;
    }
    return { type: 'dict', hasHash: false, encoded: container('dict', pairs) };
  }

  #restOfSet(begin: number, depth: number): PythonLiteral | undefined {
    const hasMore = this.#takeMark(',');
    if (!hasMore) return this.#takeMark('}') ? this.#set(begin) : undefined;
    const rest = this.#items('}', depth);
    return rest?.items.every(({ hasHash }) => hasHash) === true ? this.#set(begin) : undefined;
  }

  #since(begin: number): string {
    return this.#text.slice(begin, this.#at);
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #takeMark(mark: string): boolean {
    this.#take(SPACE);
    const isThere = this.#text.startsWith(mark, this.#at);
    if (isThere) this.#at += mark.length;
    return isThere;
  }
}

function scalar(encoded: JsonValue): PythonLiteral {
  return { type: 'scalar', hasHash: true, encoded };
}

function container(type: string, items: JsonValue[]): JsonValue {
  return { type, length: items.length, items };
}

function encodedOf({ encoded }: PythonLiteral): JsonValue {
  return encoded;
}

/** An integer beyond 2^53 is a bigint, as in a parsed record. */
function numberOf(text: string): number | bigint {
  const number = Number(text);
  return /^-?[0-9]+$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : number;
}

function unquote(token: string): string {
  return token
    .slice(1, -1)
    .replace(
      /\\(?:x(.{2})|u(.{4})|U(.{8})|(.))/g,
      (_, x?: string, u?: string, U?: string, character = '') => {
        const digits = x ?? u ?? U;
        if (digits !== undefined) return String.fromCodePoint(Number.parseInt(digits, 16));
        return ESCAPED.get(character) ?? character;
      },
    );
}
