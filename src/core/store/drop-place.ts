import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import { statOf } from '../session/safe-path.js';
import { removeDumpTree } from './dump-tree.js';

/** Readers pass over names that begin with a dot. */
export const DROPPED = '.dropped';

/** Takes dumps out of a session: each is moved aside as a whole by one rename, and removed there. */
export class DropPlace {
  readonly #root: string;
  readonly #path: string;

  /** `root` is the session's directory without symbolic links. */
  constructor(root: string) {
    this.#root = root;
    this.#path = join(root, DROPPED);
  }

  /**
   * Makes the place, and removes what somebody who was stopped left there. Gives the paths of what is no dump's, which
   * stays. FirError UNSAFE_PATH.
   */
  open(): string[] {
    const stats = statOf(this.#path);
    if (stats !== undefined && !stats.isDirectory()) {
      throw new FirError('UNSAFE_PATH', `${DROPPED} is not a directory`, {
        where: this.#path,
        hint: 'remove it: dumps are moved there before they are deleted',
      });
    }
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    const left: string[] = [];
    for (const entry of readdirSync(this.#path, { withFileTypes: true })) {
      const isGone = entry.isDirectory() && removeDumpTree(join(this.#path, entry.name));
      if (!isGone) left.push(`${DROPPED}/${entry.name}`);
    }
    return left;
  }

  /** `name` is that of a directory of the session. Gives where what is no dump's was left; undefined where all is gone. */
  drop(name: string): string | undefined {
    const from = join(this.#root, name);
    if (statOf(from)?.isDirectory() !== true) return undefined;
    let target = name;
    for (let count = 2; existsSync(join(this.#path, target)); count++) target = `${name}.${count}`;
    renameSync(from, join(this.#path, target));
    return removeDumpTree(join(this.#path, target)) ? undefined : `${DROPPED}/${target}`;
  }

  close(): void {
    try {
      rmdirSync(this.#path);
    } catch {
      // Something is left in it.
    }
  }
}
