import { FirError } from '../errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { MAX_INTEGER_DIGITS, MAX_JSON_DEPTH } from './limits.js';

/** An open container and the key that waits for its value; an array has none. */
type Frame = { array: JsonValue[] } | { object: JsonObject; key: string };

const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const FOUR_HEX_DIGITS = /[0-9a-fA-F]{4}/y;
const WORDS: readonly [word: string, value: JsonValue][] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
];
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** The parser behind `parseJson` for what JSON.parse refuses or rounds. Keeps its own stack: depth costs no frames. */
export function parsePythonJson(text: string): JsonValue {
  return new PythonJsonParser(text).parse();
}

class PythonJsonParser {
  readonly #text: string;
  readonly #stack: Frame[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    for (;;) {
      const value = this.#openOrRead();
      if (value === undefined) continue;
      const whole = this.#closeWith(value);
      if (whole !== undefined) return whole;
    }
  }

  /** Reads a scalar or an empty container; opens any other container and gives undefined. */
  #openOrRead(): JsonValue | undefined {
    this.#skip(WHITESPACE);
    const first = this.#text[this.#at];
    if (first === '"') return this.#readString();
    if (first !== '[' && first !== '{') return this.#readScalar();
    if (this.#stack.length >= MAX_JSON_DEPTH) {
      this.#fail(this.#at, `at most ${MAX_JSON_DEPTH} containers inside one another`);
    }
    this.#at += 1;
    this.#skip(WHITESPACE);
    if (first === '[') {
      const array: JsonValue[] = [];
      if (this.#take(']')) return array;
      this.#stack.push({ array });
    } else {
      const object: JsonObject = {};
      if (this.#take('}')) return object;
      this.#stack.push({ object, key: this.#readKey("a key or '}'") });
    }
    return undefined;
  }

  /** Puts a finished value into the open container, and closes what ends there; gives the whole at the end. */
  #closeWith(value: JsonValue): JsonValue | undefined {
    let finished = value;
    for (;;) {
      this.#skip(WHITESPACE);
      const frame = this.#stack.at(-1);
      if (frame === undefined) {
        if (this.#at < this.#text.length) this.#fail(this.#at, 'the end');
        return finished;
      }
      if ('array' in frame) {
        frame.array.push(finished);
        if (this.#take(',')) return undefined;
        if (!this.#take(']')) this.#fail(this.#at, "',' or ']'");
        finished = frame.array;
      } else {
        setOwn(frame.object, frame.key, finished);
        if (this.#take(',')) {
          this.#skip(WHITESPACE);
          frame.key = this.#readKey('a key');
          return undefined;
        }
        if (!this.#take('}')) this.#fail(this.#at, "',' or '}'");
        finished = frame.object;
      }
      this.#stack.pop();
    }
  }

  #readKey(expected: string): string {
    if (this.#text[this.#at] !== '"') this.#fail(this.#at, expected);
    const key = this.#readString();
    this.#skip(WHITESPACE);
    if (!this.#take(':')) this.#fail(this.#at, "':'");
    return key;
  }

  #readScalar(): JsonValue {
    const begin = this.#at;
    NUMBER.lastIndex = begin;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#readWord();
    const [digits, fraction, exponent] = match;
    this.#at = begin + digits.length;
    const number = Number(digits);
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(number)) return number;
    if (digits.length > MAX_INTEGER_DIGITS)
      this.#fail(begin, `an integer of at most ${MAX_INTEGER_DIGITS} digits`);
    return BigInt(digits);
  }

  #readWord(): JsonValue {
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#fail(this.#at, 'a value');
  }

  #readString(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      const begin = this.#at;
      this.#skip(PLAIN_CHARACTERS);
      value += this.#text.slice(begin, this.#at);
      if (this.#take('"')) return value;
      if (!this.#take('\\')) this.#fail(this.#at, 'the rest of a string');
      value += this.#readEscape();
    }
  }

  /** What follows a backslash. Lone surrogates are kept, as JSON.parse and Python keep them. */
  #readEscape(): string {
    const begin = this.#at;
    if (this.#take('u')) {
      this.#skip(FOUR_HEX_DIGITS);
      if (this.#at !== begin + 5) this.#fail(begin - 1, 'four hexadecimal digits after \\u');
      return String.fromCharCode(Number.parseInt(this.#text.slice(begin + 1, this.#at), 16));
    }
    const escaped = ESCAPES.get(this.#text[begin] ?? '');
    if (escaped === undefined) this.#fail(begin - 1, 'an escape that JSON knows');
    this.#at += 1;
    return escaped;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** Moves over a match of a sticky pattern, if there is one. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  #fail(at: number, expected: string): never {
    const codePoint = this.#text.codePointAt(at);
    const found = codePoint === undefined ? 'the end of the text' : nameCharacter(codePoint);
    throw new FirError(
      'UNREADABLE_RECORD',
      `invalid JSON at character ${at}: found ${found}, expected ${expected}`,
    );
  }
}

function nameCharacter(codePoint: number): string {
  const isPrintable = codePoint > 0x20 && codePoint < 0x7f;
  return isPrintable
    ? `'${String.fromCodePoint(codePoint)}'`
    : `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Assigning to `__proto__` would set the prototype. */
function setOwn(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}
