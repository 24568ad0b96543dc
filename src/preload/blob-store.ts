import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { writeAll } from './dump-files.js';

/** Content stored once per session, by its sha256. */
export class BlobStore {
  readonly #directory: string;

  constructor(session: string) {
    this.#directory = `${session}/blobs`;
  }

  /** Returns the content's sha256; writes the blob where it is not there yet. */
  store(bytes: Uint8Array): string {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = `${this.#directory}/${sha256}`;
    if (!existsSync(path)) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const beside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
      const fd = openSync(beside, 'wx', 0o600);
      try {
        writeAll(fd, [bytes]);
      } finally {
        closeSync(fd);
      }
      renameSync(beside, path);
    }
    return sha256;
  }
}
