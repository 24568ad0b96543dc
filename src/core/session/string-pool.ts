/** Strings that come again and again, by number. */
export class StringPool {
  readonly #strings: string[] = [];
  readonly #ids = new Map<string, number>();

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      const own = detach(text);
      id = this.#strings.length;
      this.#strings.push(own);
      this.#ids.set(own, id);
    }
    return id;
  }

  at(id: number): string {
    return this.#strings[id] ?? '';
  }
}

/** A part of a string keeps the whole alive in V8: a name cut out of a line would hold the line. */
function detach(text: string): string {
  // One byte for each character where that does, as V8 would keep it.
  const encoding = /^[\u0000-\u00ff]*$/.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}
