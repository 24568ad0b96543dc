import { isWellFormed } from './unicode.js';

/** A fault in the text of a header; `position` counts UTF-16 units from its start. */
export class HeaderSyntaxError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

/** As deep as the official reader's parser goes. */
const MAX_DEPTH = 127;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const EXPONENT = 0x65;
const LOWER_CASE = 0x20;
const NULL = /null/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const HAS_CONTROL = /[\u0000-\u001f]/;

/**
 * Strict JSON, read front to back in one pass and by expectation, so that a hostile text can neither nest the stack away
 * nor be read twice, and a repeated key is seen, which JSON.parse would hide.
 */
export class HeaderScanner {
  readonly #text: string;
  #at = 0;
  /** What is being read, to begin messages with: `tensor "x"`. */
  subject = '';

  constructor(text: string) {
    this.#text = text;
  }

  fail(message: string, position = this.#at): never {
    throw new HeaderSyntaxError(this.subject === '' ? message : `${this.subject}: ${message}`, position);
  }

  /** Whether the next thing is `character`, which is then taken. */
  takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Whether the next thing is null, which is then taken. */
  takesNull(): boolean {
    this.#skipSpace();
    return this.#take(NULL) !== '';
  }

  expect(character: string): void {
    if (!this.takes(character)) this.fail(`expected ${character}, found ${this.#found()}`);
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.fail(`expected the end, found ${this.#found()}`);
  }

  /** Calls `visit` at the value of each key of an object. */
  object(visit: (key: string, keyPosition: number) => void): void {
    this.expect('{');
    if (this.takes('}')) return;
    do {
      this.#skipSpace();
      const keyPosition = this.#at;
      const key = this.string();
      this.expect(':');
      visit(key, keyPosition);
    } while (this.takes(','));
    this.expect('}');
  }

  /** Calls `visit` at each value of a list. */
  list(visit: () => void): void {
    this.expect('[');
    if (this.takes(']')) return;
    do visit();
    while (this.takes(','));
    this.expect(']');
  }

  string(): string {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== QUOTE) this.fail(`expected a string, found ${this.#found()}`);
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) this.fail('a string has no end', start);
    this.#at = end + 1;
    const body = this.#text.slice(start + 1, end);
    if (!body.includes('\\')) {
      if (HAS_CONTROL.test(body)) this.fail('a string holds a control character', start);
      return body;
    }
    return this.#unescape(body, start);
  }

  /** An integer from 0 to 2^53 - 1. */
  count(): number {
    this.#skipSpace();
    const start = this.#at;
    let value = 0;
    let code = this.#text.charCodeAt(start);
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + code - ZERO;
      code = this.#text.charCodeAt(++this.#at);
    }
    const digits = this.#at - start;
    const isFraction = code === POINT || (code | LOWER_CASE) === EXPONENT;
    const hasLeadingZero = digits > 1 && this.#text.charCodeAt(start) === ZERO;
    if (digits === 0 || isFraction || hasLeadingZero) this.fail('expected a whole number from 0 on', start);
    if (value > Number.MAX_SAFE_INTEGER) this.fail('a number is past 2^53', start);
    return value;
  }

  /** Reads any value and drops it. */
  skipValue(depth = 0): void {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    this.#skipSpace();
    const next = this.#text[this.#at];
    if (next === '{') this.object(() => this.skipValue(depth + 1));
    else if (next === '[') this.list(() => this.skipValue(depth + 1));
    else if (next === '"') this.string();
    else if (this.#take(SCALAR) === '') this.fail(`expected a value, found ${this.#found()}`);
  }

  #skipSpace(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB) {
      code = this.#text.charCodeAt(++this.#at);
    }
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Whether an odd run of backslashes stands before the quote at `end`. */
  #isEscaped(end: number, start: number): boolean {
    let at = end - 1;
    while (at > start && this.#text.charCodeAt(at) === BACKSLASH) at--;
    return (end - at) % 2 === 0;
  }

  #unescape(body: string, start: number): string {
    let text: string;
    try {
      text = JSON.parse(`"${body}"`) as string;
    } catch {
      this.fail('a string holds a bad escape or a control character', start);
    }
    if (!isWellFormed(text)) this.fail('a string holds half of a surrogate pair', start);
    return text;
  }

  #found(): string {
    return this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end';
  }
}
