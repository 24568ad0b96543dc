import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { OLD_METADATA } from '../flashinfer/index.js';
import { writeFully } from '../io/positioned-io.js';
import { entriesOf } from '../session/directory.js';
import { METADATA, TENSOR_FILE } from '../session/dump-scan.js';
import type { Dump, Session } from '../session/index.js';
import { readLines } from '../session/line-reader.js';
import { parseLine } from '../session/parse-line.js';
import { dumpNameFrom, isOwnDirectory, sizeOfSessionFile } from '../session/safe-path.js';
import { type BlobSet, blobsOf } from './blob-set.js';
import { type Conversion, convertFiles, planConversion } from './convert-dump.js';
import { convertedLines } from './converted-records.js';
import type { FilePlacer } from './file-placer.js';
import { addToForeign } from './foreign-additions.js';
import { lostLayouts } from './lost-layouts.js';
import type { DumpRewriter } from './types.js';

const SMALL_BYTES = 1024 * 1024;
const DIRECTORY_MODE = 0o700;
const NEWLINE = Buffer.from('\n');

/** Puts dumps into a new session. */
export class DumpPlacer {
  readonly #session: Session;
  readonly #target: string;
  readonly #placer: FilePlacer;
  readonly #blobs: BlobSet;

  constructor(session: Session, target: string, placer: FilePlacer, blobs: BlobSet) {
    this.#session = session;
    this.#target = target;
    this.#placer = placer;
    this.#blobs = blobs;
  }

  /**
   * The files that a dump has, and nothing else that stands in its directory. `process` is noted in its records;
   * `isRewritable`: its recorder may write its tensor files again, so that they are not to be shared.
   */
  async place(dump: string, process: string | undefined, isRewritable: boolean): Promise<void> {
    const { root, realRoot } = this.#session;
    const from = join(root, dump);
    if (dumpNameFrom(dump) !== dump || !isOwnDirectory(realRoot, from, dump)) return;
    const to = this.makeDirectory(dump);
    const references = new Set<string>();
    for (const { name } of entriesOf(from)) {
      const isRecord = name === METADATA || name === OLD_METADATA;
      if (!isRecord && !TENSOR_FILE.test(name)) continue;
      const source = this.#regularFile(join(from, name));
      if (source === undefined) continue;
      const target = join(to, name);
      if (isRecord) await this.#placeRecords(source, target, name, process, references);
      else if (isRewritable) await this.#placer.copy(source, target);
      else await this.#placer.share(source, target);
    }
    for (const sha256 of references) await this.#blobs.add(sha256, dump);
  }

  /** A dump as `rewriter` makes it. */
  async placeRewritten(
    name: string,
    dump: Dump,
    rewriter: DumpRewriter,
    process: string | undefined,
  ): Promise<void> {
    const to = this.makeDirectory(name);
    const lines = await rewriter.rewrite(dump, to);
    for (const file of readdirSync(to)) {
      const stats = statSync(join(to, file));
      if (stats.isFile()) this.#placer.count(stats.size);
    }
    await this.#placeLines(name, to, lines, process);
  }

  /**
   * A dump with its tensor files converted. False where nothing is to be converted, and nothing was placed.
   * FirError where a tensor can't be read or written: then nothing was placed either.
   */
  async placeConverted(
    name: string,
    dump: Dump,
    conversion: Conversion,
    process: string | undefined,
  ): Promise<boolean> {
    const plan = planConversion(dump, conversion);
    if (plan === undefined) return false;
    const to = this.makeDirectory(name);
    try {
      const converted = convertFiles(dump, plan, to);
      const files = { name, path: to, realRoot: this.#target };
      const added = lostLayouts(dump, converted, files);
      const lines = convertedLines(dump, name, this.#session.realRoot, { ...converted, added });
      await this.#placeLines(name, to, lines, process);
      for (const file of converted.kept) {
        const source = this.#regularFile(join(dump.path, file));
        if (source !== undefined) await this.#placer.share(source, join(to, file));
      }
      for (const bytes of converted.written.values()) this.#placer.count(bytes);
      return true;
    } catch (error) {
      rmSync(to, { recursive: true, force: true });
      throw error;
    }
  }

  async #placeLines(
    name: string,
    to: string,
    lines: readonly string[],
    process: string | undefined,
  ): Promise<void> {
    const noted = lines.map((line) => (process === undefined ? line : addToForeign(line, { process })));
    this.#placer.write(join(to, METADATA), noted.map((line) => `${line}\n`).join(''));
    for (const line of noted) {
      for (const sha256 of referencesOf(Buffer.from(line))) await this.#blobs.add(sha256, name);
    }
  }

  makeDirectory(dump: string): string {
    const path = join(this.#target, dump);
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
    return path;
  }

  /** A file that readers would read: one of the session's own, without symbolic links. */
  #regularFile(path: string): string | undefined {
    try {
      return sizeOfSessionFile(this.#session.realRoot, path) === undefined ? undefined : realpathSync(path);
    } catch {
      return undefined;
    }
  }

  /** Never shared: a live process appends to its records. */
  async #placeRecords(
    source: string,
    target: string,
    name: string,
    process: string | undefined,
    references: Set<string>,
  ): Promise<void> {
    const { size } = statSync(source);
    if (name === OLD_METADATA) {
      if (process === undefined) await this.#placer.copy(source, target);
      else this.#placer.write(target, addToForeign(readFileSync(source, 'utf8'), { process }));
      return;
    }
    if (process !== undefined) {
      this.#placer.count(noteProcess(source, target, process));
      return;
    }
    if (size > SMALL_BYTES) await this.#placer.copy(source, target);
    else {
      const bytes = readFileSync(source);
      this.#placer.write(target, bytes);
      if (!bytes.includes('"sha256"')) return;
    }
    const fd = openSync(target, 'r');
    try {
      for (const line of readLines(fd)) {
        for (const sha256 of referencesOf(line.bytes)) references.add(sha256);
      }
    } finally {
      closeSync(fd);
    }
  }
}

function referencesOf(line: Buffer | undefined): ReadonlySet<string> {
  if (line?.includes('"sha256"') !== true) return NONE;
  const parsed = parseLine({ offset: 0, length: line.length, bytes: line, terminated: true });
  return 'value' in parsed ? blobsOf(parsed.value) : NONE;
}

const NONE: ReadonlySet<string> = new Set();

/** Writes the records again with the process that they belong to; what is no record stays as it is. Gives the bytes. */
function noteProcess(source: string, target: string, process: string): number {
  const from = openSync(source, 'r');
  const to = openSync(target, 'wx', 0o600);
  let bytes = 0;
  try {
    for (const line of readLines(from)) {
      if (line.bytes === undefined) continue;
      const isRecord = 'value' in parseLine(line);
      const text = isRecord
        ? Buffer.from(addToForeign(line.bytes.toString('utf8'), { process }))
        : line.bytes;
      const pieces = line.terminated ? [text, NEWLINE] : [text];
      writeFully(to, pieces);
      bytes += text.length + pieces.length - 1;
    }
  } finally {
    closeSync(to);
    closeSync(from);
  }
  return bytes;
}
