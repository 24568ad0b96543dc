import { linkSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../model/json.js';
import type { Session } from '../session/index.js';
import { objectFrom, stringFrom } from '../session/json-fields.js';
import { hasSessionDirectory, sizeOfSessionFile } from '../session/safe-path.js';
import type { FilePlacer } from './file-placer.js';

const SHA256 = /^[0-9a-f]{64}$/;
const BLOBS = 'blobs';

/** The contents that a record refers to by their SHA-256. */
export function blobsOf(record: JsonObject): Set<string> {
  const found = new Set<string>();
  const fir = objectFrom(record['fir']);
  const layouts = Object.values(objectFrom(fir?.['tensors']) ?? {});
  const places = [
    ...layouts.map((layout) => objectFrom(layout)?.['data']),
    ...Object.values(objectFrom(fir?.['mutated_data']) ?? {}),
  ];
  for (const place of places) {
    const data = objectFrom(place);
    const sha256 = stringFrom(data?.['sha256']);
    // Of a redacted value the hash alone is told.
    if (sha256 !== undefined && SHA256.test(sha256) && data?.['redacted'] !== true) found.add(sha256);
  }
  return found;
}

/** `blobs/` of a new session: what its dumps refer to, each once. */
export class BlobSet {
  readonly #session: Session;
  readonly #target: string;
  readonly #placer: FilePlacer;
  readonly #placed = new Map<string, boolean>();

  constructor(session: Session, target: string, placer: FilePlacer) {
    this.#session = session;
    this.#target = target;
    this.#placer = placer;
  }

  /** Puts the content that a dump refers to there, with a hard link to it in the dump, where it has a directory. */
  async add(sha256: string, dump: string): Promise<void> {
    let isThere = this.#placed.get(sha256);
    if (isThere === undefined) {
      isThere = await this.#place(sha256, dump);
      this.#placed.set(sha256, isThere);
    }
    if (isThere) this.#linkIn(sha256, dump);
  }

  async #place(sha256: string, dump: string): Promise<boolean> {
    const source = this.#find(sha256, dump);
    if (source === undefined) return false;
    mkdirSync(join(this.#target, BLOBS), { recursive: true, mode: 0o700 });
    await this.#placer.share(source, join(this.#target, BLOBS, sha256));
    return true;
  }

  #find(sha256: string, dump: string): string | undefined {
    const { root, realRoot } = this.#session;
    const places: [directory: string, name: string][] = [
      [BLOBS, sha256],
      [dump, `${sha256}.blob`],
    ];
    for (const [directory, name] of places) {
      const path = join(root, directory, name);
      if (!hasSessionDirectory(realRoot, join(root, directory))) continue;
      try {
        if (sizeOfSessionFile(realRoot, path) !== undefined) return realpathSync(path);
      } catch {
        // No file of the session's own: as if it were not there.
      }
    }
    return undefined;
  }

  /** Says by the number of its links whether a blob is needed. Not every file system has them, nor any number. */
  #linkIn(sha256: string, dump: string): void {
    try {
      linkSync(join(this.#target, BLOBS, sha256), join(this.#target, dump, `${sha256}.blob`));
    } catch {
      // Readers look into blobs/ first.
    }
  }
}
