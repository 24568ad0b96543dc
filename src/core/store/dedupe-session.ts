import { realpathSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { Turns } from '../io/turns.js';
import { openSession, type Session } from '../session/index.js';
import { statOf } from '../session/safe-path.js';
import { MIN_CONTENT_BYTES } from '../tensor-files/content-size.js';
import { ContentWriter } from './content-writer.js';
import { convertedText } from './converted-records.js';
import { type StagedDump, stageDump } from './dedupe-dump.js';
import { DROPPED, DropPlace } from './drop-place.js';
import { readIndexLines } from './index-lines.js';
import { hasPruneLeftovers } from './leftovers.js';
import { refuseLiveWriters, withPruneClaim } from './prune-claim.js';
import { type FoundContents, findRepeatedContents, type RepeatedContents } from './repeated-contents.js';
import { rewriteIndex } from './rewrite-index.js';

/** So much is written beside the session before it takes its place, and so many dumps wait for it. */
const BATCH_BYTES = 256 * 1024 * 1024;
const BATCH_DUMPS = 20_000;
/** What threads that rotate say they take of the session: no longer true, and made anew by the next of them. */
const USAGE = '.usage';

export interface DedupeOptions {
  /** Only looks what there is to be done. */
  dryRun?: boolean;
  /** Smaller tensors stay where they are; 16 KiB where absent. */
  minBytes?: number;
  signal?: AbortSignal;
  onProgress?(step: 'looking' | 'storing', done: number, total: number): void;
}

export interface DedupeResult {
  /** Tensors whose content is in the session more than once, and their bytes. */
  tensors: number;
  bytes: number;
  /** Of the contents that were, or would be, written to blobs/. */
  newBytes: number;
  /** Calls whose dumps were written anew. */
  calls: number;
  /** By which the session is smaller now; without changes, by which it would be. */
  savedBytes: number;
  /** Dumps that stayed as they are, and why. */
  left: { dump: string; reason: string }[];
}

/**
 * Stores contents that a session at rest holds several times once, under `blobs/`; its calls, values, layouts and sharing
 * stay as they are. Contents come first, then the records that refer to them, and last the files without them: a kill at any
 * moment leaves a session that has all values, and doing it again finishes the work.
 *
 * @throws FirError USAGE, NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH, SESSION_IN_USE where somebody writes to it, IO_FAILED, INTERRUPTED.
 */
export async function dedupeSession(root: string, options: DedupeOptions = {}): Promise<DedupeResult> {
  const session = openSession(root);
  refuseOtherPlaces(root, session);
  refuseLiveWriters(session);
  const turns = new Turns(options.signal);
  const { dryRun = false, minBytes = MIN_CONTENT_BYTES } = options;
  try {
    const found = await findRepeatedContents(session, minBytes, turns, (done, total) =>
      options.onProgress?.('looking', done, total),
    );
    const result = resultFrom(found);
    const hasWork = found.dumps.size > 0 || hasPruneLeftovers(session.realRoot);
    if (dryRun || !hasWork) return result;
    return await withPruneClaim(session, () => new Deduplication(root, session, options, turns).run(found));
  } catch (error) {
    if (error instanceof FirError || typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    throw new FirError('IO_FAILED', `the session can't be written: ${messageOf(error)}`, {
      where: root,
      hint: 'all values are there; run it again to finish',
      cause: error,
    });
  }
}

/** A part of a session can't be written anew without its index. */
function refuseOtherPlaces(root: string, { realRoot }: Session): void {
  if (statSync(root).isDirectory() && realpathSync(root) === realRoot) return;
  throw new FirError('USAGE', `${root} is not the directory of a session`, {
    where: root,
    hint: `name the session: ${realRoot}`,
  });
}

function resultFrom({ tensors, bytes, newBytes }: FoundContents): DedupeResult {
  return { tensors, bytes, newBytes, calls: 0, savedBytes: bytes - newBytes, left: [] };
}

class Deduplication {
  readonly #root: string;
  readonly #options: DedupeOptions;
  readonly #turns: Turns;
  readonly #writer: ContentWriter;
  readonly #place: DropPlace;
  readonly #left: DedupeResult['left'] = [];
  #session: Session;
  #batch: StagedDump[] = [];
  #batchBytes = 0;
  #calls = 0;
  #freedBytes = 0;

  constructor(root: string, session: Session, options: DedupeOptions, turns: Turns) {
    this.#root = root;
    this.#session = session;
    this.#options = options;
    this.#turns = turns;
    this.#writer = new ContentWriter(session.realRoot);
    this.#place = new DropPlace(session.realRoot);
  }

  async run(found: FoundContents): Promise<DedupeResult> {
    this.#place.open();
    let done = 0;
    for (const [name, contents] of found.dumps) {
      this.#stage(name, contents);
      if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_DUMPS) await this.#finishBatch();
      done += 1;
      this.#options.onProgress?.('storing', done, found.dumps.size);
      await this.#turns.take();
    }
    await this.#finishBatch();
    this.#place.close();
    const usage = join(this.#session.realRoot, USAGE);
    if (statOf(usage)?.isFile() === true) unlinkSync(usage);
    return {
      ...resultFrom(found),
      newBytes: this.#writer.bytes,
      calls: this.#calls,
      savedBytes: this.#freedBytes - this.#writer.bytes,
      left: this.#left,
    };
  }

  #stage(name: string, contents: RepeatedContents): void {
    const call = this.#session.callOf(name);
    if (call === undefined) return;
    const { realRoot } = this.#session;
    const path = join(realRoot, DROPPED, name);
    try {
      const dump = this.#session.openDump(call);
      try {
        const staged = stageDump(dump, name, contents, this.#writer, { realRoot, path });
        if (staged === undefined)
          this.#leave(name, path, 'its files would have to be laid out in another way');
        else {
          this.#batch.push(staged);
          this.#batchBytes += staged.bytes;
        }
      } finally {
        dump.close();
      }
    } catch (error) {
      if (!(error instanceof FirError)) throw error;
      this.#leave(name, path, error.message);
    }
  }

  #leave(name: string, path: string, reason: string): void {
    rmSync(path, { recursive: true, force: true });
    this.#left.push({ dump: name, reason });
  }

  /** The records of all dumps before the files of any. */
  async #finishBatch(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    for (const staged of batch) staged.writeRecords();
    await this.#rewriteIndexes(batch);
    for (const staged of batch) {
      this.#freedBytes += staged.replaceFiles() - staged.bytes;
      rmSync(join(this.#session.realRoot, DROPPED, staged.name), { recursive: true, force: true });
      this.#calls += 1;
    }
    this.#batch = [];
    this.#batchBytes = 0;
    this.#session = openSession(this.#root);
  }

  async #rewriteIndexes(batch: readonly StagedDump[]): Promise<void> {
    const numbers = new Map(batch.map(({ name }, number) => [name, number]));
    const ownerOf = (dump: string): number | undefined => numbers.get(dump);
    const lines = await readIndexLines(this.#session, ownerOf, () => undefined, this.#turns);
    for (const file of lines.files) {
      rewriteIndex(lines, file, {
        isKept: () => true,
        isRewritten: (owner) => batch[owner] !== undefined,
        rewrite(owner, text) {
          const changes = batch[owner]?.changes;
          return changes === undefined ? undefined : convertedText(text, changes);
        },
      });
    }
  }
}
