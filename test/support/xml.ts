import { expect } from 'vitest';

const TOKEN = /<\?xml[^>]*\?>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const ENTITY_FREE = /&(?!(?:amp|lt|gt|quot|apos|#\d+);)/;
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

/** Holds a document against XML 1.0's rules for nesting, attributes, entities and characters. */
export function expectWellFormed(xml: string): void {
  expect(xml).not.toMatch(FORBIDDEN);
  expect(xml).not.toMatch(ENTITY_FREE);
  const open: string[] = [];
  let at = 0;
  for (const [token, closing, opening, , selfClosing] of xml.matchAll(TOKEN)) {
    if (closing !== undefined) expect(closing).toBe(open.pop());
    else if (opening !== undefined && selfClosing === '') open.push(opening);
    at += token.length;
  }
  expect({ at, open }).toEqual({ at: xml.length, open: [] });
}
