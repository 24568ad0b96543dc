import { createHmac, randomBytes } from 'node:crypto';
import type { JsonObject } from '../model/json.js';
import { REDACTED_TYPE } from '../values/redacted.js';

const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/;
/** Hexadecimal digits that are kept of a hash: enough to tell the texts of any session apart. */
const HASH_DIGITS = 32;

/**
 * Puts in the place of a text how long it was, and a hash that is the same for the same text. The hash has a key that is
 * never written: a plain one of a short text is found by trying all of them.
 */
export class Redactor {
  readonly #key: Buffer;

  /** `key`: 64 hexadecimal digits that several processes share; another one than that is as none, which is random. */
  constructor(key?: string) {
    this.#key = key !== undefined && KEY.test(key) ? Buffer.from(key, 'hex') : randomBytes(KEY_BYTES);
  }

  /** `of`: the type of what the text was of; `length` is in UTF-16 units. */
  text(text: string, of = 'string'): JsonObject {
    const hash = createHmac('sha256', this.#key).update(text).digest('hex').slice(0, HASH_DIGITS);
    return { type: REDACTED_TYPE, of, length: text.length, hash };
  }
}

/** A key for the processes of one recording. */
export function makeRedactionKey(): string {
  return randomBytes(KEY_BYTES).toString('hex');
}
