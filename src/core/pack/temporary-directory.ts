import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A directory of mode 0700 that is gone when it was removed, or when the process exits before. */
export class TemporaryDirectory {
  readonly path: string;
  readonly #onExit = () => rmSync(this.path, { recursive: true, force: true });

  /** In `parent`, under a name that begins with `prefix`. Throws the file system's own errors. */
  constructor(parent: string, prefix: string) {
    this.path = join(parent, `${prefix}.${randomBytes(6).toString('hex')}.partial`);
    mkdirSync(this.path, { mode: 0o700 });
    process.on('exit', this.#onExit);
  }

  remove(): void {
    process.off('exit', this.#onExit);
    this.#onExit();
  }
}
