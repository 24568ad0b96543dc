import { HAS_LONE_SURROGATE } from './quote-key.js';

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

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const WHITESPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
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
    this.#skip(WHITESPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Whether the next thing is the word null, true or false as named, which is then taken. */
  takesWord(word: 'null' | 'true' | 'false'): boolean {
    this.#skip(WHITESPACE);
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  expect(character: string): void {
    if (!this.takes(character)) this.fail(`expected ${character}, found ${this.#found()}`);
  }

  expectEnd(): void {
    this.#skip(WHITESPACE);
    if (this.#at < this.#text.length) this.fail(`expected the end, found ${this.#found()}`);
  }

  /** Calls `visit` at the value of each key of an object. */
  object(visit: (key: string, keyPosition: number) => void): void {
    this.expect('{');
    if (this.takes('}')) return;
    do {
      this.#skip(WHITESPACE);
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
    this.#skip(WHITESPACE);
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
    this.#skip(WHITESPACE);
    const start = this.#at;
    const digits = this.#take(NUMBER);
    if (digits === '' || !/^\d+$/.test(digits))
      this.fail(`expected a count, found ${digits || this.#found()}`, start);
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) this.fail(`${digits} is past 2^53`, start);
    return value;
  }

  /** Reads any value and drops it. */
  skipValue(depth = 0): void {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    this.#skip(WHITESPACE);
    const next = this.#text[this.#at];
    if (next === '{') this.object(() => this.skipValue(depth + 1));
    else if (next === '[') this.list(() => this.skipValue(depth + 1));
    else if (next === '"') this.string();
    else if (
      this.#take(NUMBER) === '' &&
      !this.takesWord('null') &&
      !this.takesWord('true') &&
      !this.takesWord('false')
    )
      this.fail(`expected a value, found ${this.#found()}`);
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    pattern.test(this.#text);
    this.#at = Math.max(pattern.lastIndex, this.#at);
  }

  #take(pattern: RegExp): string {
    const start = this.#at;
    this.#skip(pattern);
    return this.#text.slice(start, this.#at);
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
    if (HAS_LONE_SURROGATE.test(text)) this.fail('a string holds half of a surrogate pair', start);
    return text;
  }

  #found(): string {
    return this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end';
  }
}
