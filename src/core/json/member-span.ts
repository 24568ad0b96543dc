/** Where a value stands in a text: from `begin` up to `end`. */
export interface TextSpan {
  begin: number;
  end: number;
}

/** The members of the object at the top of a JSON text, by name; of one that stands twice the last, which counts. */
interface TopMembers {
  spans: Map<string, TextSpan>;
  /** Where its closing brace stands. */
  close: number;
}

/**
 * The text of a JSON object in which one member of the object at the top has another value, `value` as JSON; one that is
 * not there comes last. Everything else keeps its characters. `text` must be what `parseJson` reads as an object.
 */
export function replaceMember(text: string, name: string, value: string): string {
  const { spans, close } = topMembers(text);
  const span = spans.get(name);
  if (span !== undefined) return text.slice(0, span.begin) + value + text.slice(span.end);
  const separator = spans.size === 0 ? '' : ',';
  return `${text.slice(0, close)}${separator}${JSON.stringify(name)}:${value}${text.slice(close)}`;
}

function topMembers(text: string): TopMembers {
  const spans = new Map<string, TextSpan>();
  let at = skipBlank(text, 0) + 1;
  for (;;) {
    at = skipBlank(text, at);
    if (text[at] === ',') at = skipBlank(text, at + 1);
    if (text[at] !== '"') return { spans, close: at };
    const keyEnd = skipString(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const begin = skipBlank(text, skipBlank(text, keyEnd) + 1);
    at = skipValue(text, begin);
    spans.set(String(key), { begin, end: at });
  }
}

export function skipBlank(text: string, begin: number): number {
  let at = begin;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1;
  return at;
}

/** Where the string that begins at `begin` has ended. */
export function skipString(text: string, begin: number): number {
  let at = begin + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

export function skipValue(text: string, begin: number): number {
  let depth = 0;
  let at = begin;
  while (at < text.length) {
    const character = text[at];
    if (character === '"') {
      at = skipString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (character === ',' || isBlank(character))) return at;
    at += 1;
  }
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}
