/** Deeper nesting than any argument has. */
const MAX_DEPTH = 100;

const SPACE = /[ \t\r\n]*/y;
const NAME = /(?:None|True|False)(?![\w.])/y;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?j?)(?:[+-](?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?j)?(?![\w.])/y;
const STRING = /b?(?:'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*")/y;
const EMPTY_SET = /set\(\)/y;

/**
 * Whether a text is what Python's `ast.literal_eval` reads: numbers, texts, bytes, None, True, False, and tuples, lists,
 * dicts and sets of them. Nothing of it is ever run.
 */
export function isPythonLiteral(text: string): boolean {
  const scanner = new Scanner(text);
  return scanner.value(0) && scanner.isAtEnd();
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

  value(depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
    this.#take(SPACE);
    if (this.#take(NAME) || this.#take(NUMBER) || this.#take(STRING) || this.#take(EMPTY_SET)) return true;
    if (this.#takeText('(')) return this.#items(')', false, depth);
    if (this.#takeText('[')) return this.#items(']', false, depth);
    return this.#takeText('{') && this.#items('}', true, depth);
  }

  /** Up to the closing mark: `key: value` pairs where the first one is one. */
  #items(close: string, mayBeDict: boolean, depth: number): boolean {
    let isDict: boolean | undefined;
    while (!this.#takeText(close)) {
      if (!this.value(depth + 1)) return false;
      const isPair = mayBeDict && this.#takeText(':');
      isDict ??= isPair;
      if (isPair !== isDict || (isPair && !this.value(depth + 1))) return false;
      if (this.#takeText(',')) continue;
      return this.#takeText(close);
    }
    return true;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #takeText(text: string): boolean {
    this.#take(SPACE);
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}
