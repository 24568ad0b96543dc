import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { writeBeside } from './dump-files.js';

/** Content stored once per session, by its sha256. */
export class BlobStore {
  readonly #directory: string;
  readonly #tag: string;

  /** `tag` names this writer among those that may write the same content at once. */
  constructor(session: string, tag: string) {
    this.#directory = `${session}/blobs`;
    this.#tag = tag;
  }

  /** Writes the content where it is not there yet. */
  store(bytes: Uint8Array): { sha256: string; writtenBytes: number } {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = `${this.#directory}/${sha256}`;
    if (existsSync(path)) return { sha256, writtenBytes: 0 };
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeBeside(path, this.#tag, [bytes]);
    return { sha256, writtenBytes: bytes.length };
  }
}
