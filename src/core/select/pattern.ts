/** What one position of a pattern matches. A set is a list of inclusive code point ranges, possibly empty. */
type Token = 'any' | 'star' | number | { negated: boolean; ranges: readonly (readonly [number, number])[] };

/**
 * Case-sensitive matching with the rules of Python's `fnmatch.fnmatchcase`: `*`, `?`, `[seq]`, `[!seq]`, no meaning
 * for `/` or a leading dot, code points rather than UTF-16 units.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  return compilePattern(pattern)(name);
}

/** The same for one pattern and many names. */
export function compilePattern(pattern: string): (name: string) => boolean {
  const tokens = tokenise(codePoints(pattern));
  return (name) => matchTokens(tokens, codePoints(name));
}

/**
 * Greedy with one way back, to the last star: an earlier star never needs another try, since whatever lies between
 * two stars may as well match at its first place. At most pattern length times name length steps.
 */
function matchTokens(tokens: readonly Token[], name: readonly number[]): boolean {
  let token = 0;
  let at = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current === 'star') {
      starToken = token++;
      starAt = at;
    } else if (current !== undefined && matchesToken(current, name[at] ?? -1)) {
      token++;
      at++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (tokens[token] === 'star') token++;
  return token === tokens.length;
}

function matchesToken(token: Exclude<Token, 'star'>, point: number): boolean {
  if (token === 'any') return true;
  if (typeof token === 'number') return token === point;
  const inside = token.ranges.some(([low, high]) => point >= low && point <= high);
  return inside !== token.negated;
}

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BANG = 0x21;
const HYPHEN = 0x2d;

function tokenise(pattern: readonly number[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const point = pattern[at++] ?? -1;
    if (point === STAR) {
      if (tokens.at(-1) !== 'star') tokens.push('star');
    } else if (point === QUESTION) {
      tokens.push('any');
    } else if (point === OPEN) {
      const end = endOfSet(pattern, at);
      if (end < 0) {
        tokens.push(point);
      } else {
        tokens.push(parseSet(pattern.slice(at, end)));
        at = end + 1;
      }
    } else {
      tokens.push(point);
    }
  }
  return tokens;
}

/** Index of the bracket that ends a set, or -1: a first `]`, also after `!`, is a member. */
function endOfSet(pattern: readonly number[], start: number): number {
  let at = start;
  if (pattern[at] === BANG) at++;
  if (pattern[at] === CLOSE) at++;
  return pattern.indexOf(CLOSE, at);
}

/** As Python reads it: a hyphen makes a range unless it is first, last or directly after a range; backward ranges are empty. */
function parseSet(content: readonly number[]): Token {
  const negated = content[0] === BANG;
  const members = negated ? content.slice(1) : content;
  const ranges: [number, number][] = [];
  let at = 0;
  while (at < members.length) {
    const low = members[at] ?? -1;
    const high = members[at + 2];
    if (members[at + 1] === HYPHEN && high !== undefined) {
      if (low <= high) ranges.push([low, high]);
      at += 3;
    } else {
      ranges.push([low, low]);
      at += 1;
    }
  }
  return { negated, ranges };
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}
