import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import { snapshotOf } from '../flashinfer/index.js';
import { stringifyJson } from '../json/index.js';
import type { CallEntry, Dump, Session } from '../session/index.js';
import { dumpNameFrom, isPlainName } from '../session/safe-path.js';
import { BlobSet, blobsOf } from './blob-set.js';
import type { Conversion } from './convert-dump.js';
import { DumpPlacer } from './dump-placer.js';
import { FilePlacer } from './file-placer.js';
import { type KeptLine, orderedLines } from './kept-lines.js';
import { Staging } from './staging.js';
import type { DumpRewriter, ExtractOptions, ExtractResult } from './types.js';
import { writeIndex } from './write-index.js';

/** So long at most until signals and progress are looked after. */
const BREATH_MS = 20;

/**
 * Writes a session that holds a part of another one's calls: the same calls with the same values, in the same order and
 * processes. The source is not changed, and may still be written to.
 * FirError USAGE where the destination is taken, INTERRUPTED, IO_FAILED: then nothing of it is there.
 */
export async function extractSession(options: ExtractOptions): Promise<ExtractResult> {
  const { session, destination } = options;
  const staging = Staging.begin(destination, session.realRoot);
  try {
    const result = await new Extraction(options, staging.path).run();
    staging.commit();
    return result;
  } catch (error) {
    staging.discard();
    if (error instanceof FirError) throw error;
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    throw new FirError('IO_FAILED', `${destination} can't be written: ${messageOf(error)}`, {
      where: destination,
      cause: error,
    });
  }
}

class Extraction {
  readonly #options: ExtractOptions;
  readonly #session: Session;
  readonly #target: string;
  readonly #selected: readonly CallEntry[];
  readonly #isSelected: Uint8Array;
  /** Captured calls that only their snapshots run, by the snapshot through which they come along. */
  readonly #captured = new Map<string, CallEntry>();
  readonly #placer = new FilePlacer();
  readonly #blobs: BlobSet;
  readonly #dumps: DumpPlacer;
  readonly #conversion: Conversion | undefined;
  readonly #rewritten = new Set<string>();
  readonly #unconverted: ExtractResult['unconverted'] = [];
  #breathedAt = Date.now();

  constructor(options: ExtractOptions, target: string) {
    const { session, calls } = options;
    this.#options = options;
    this.#session = session;
    this.#target = target;
    this.#isSelected = new Uint8Array(session.calls.length + 1);
    for (const number of calls) this.#isSelected[number] = 1;
    this.#selected = session.calls.filter((call) => this.#isSelected[call.number] === 1);
    for (const call of this.#selected) {
      const base = snapshotOf(call.dump)?.base;
      if (base !== undefined && session.callOf(base) === undefined && !this.#captured.has(base)) {
        this.#captured.set(base, call);
      }
    }
    this.#blobs = new BlobSet(session, target, this.#placer);
    this.#dumps = new DumpPlacer(session, target, this.#placer, this.#blobs);
    const { format, plain = false } = options;
    this.#conversion = format === undefined && !plain ? undefined : { format, plain };
  }

  async run(): Promise<ExtractResult> {
    const { calls, provenance } = this.#options;
    if (calls.some((number) => this.#session.calls[number - 1] === undefined)) {
      throw new FirError('INTERNAL', 'a call to extract is not of this session');
    }
    const { redact, plain } = this.#options;
    const mayMoveBlobs = redact !== undefined || plain === true;
    const blobs = new Map<string, string>();
    const lines = orderedLines(
      this.#session,
      {
        placeOf: (dump) => this.#placeOf(dump),
        isForeign: (dump) => this.#session.callOf(dump)?.recorder !== 'fir',
      },
      ({ dump }, record) => {
        if (!mayMoveBlobs) for (const sha256 of blobsOf(record)) blobs.set(sha256, dump);
      },
    );
    await this.#placeDumps();
    for (const [sha256, dump] of blobs) await this.#blobs.add(sha256, dump);
    await this.#writeIndex(lines);
    this.#placeHeaders();
    if (provenance !== undefined) {
      this.#placer.write(join(this.#target, 'extracted.json'), `${stringifyJson(provenance)}\n`);
    }
    const { bytes, linked, cloned, copied } = this.#placer;
    return { calls: this.#selected.length, bytes, linked, cloned, copied, unconverted: this.#unconverted };
  }

  async #placeDumps(): Promise<void> {
    for (const [base, call] of this.#captured) {
      await this.#placeDump(base, call, () => this.#session.openCaptured(call), true);
      await this.#breathe();
    }
    for (const [index, call] of this.#selected.entries()) {
      await this.#placeDump(
        call.dump,
        call,
        () => openOf(this.#session, call),
        call.graphCapture && !isSnapshot(call),
      );
      this.#options.onProgress?.(index + 1, this.#selected.length);
      await this.#breathe();
    }
  }

  async #placeDump(
    name: string,
    call: CallEntry,
    open: () => Dump | undefined,
    isRewritable: boolean,
  ): Promise<void> {
    const process = this.#processOf(call);
    const { redact } = this.#options;
    if (redact !== undefined) await this.#placeRedacted(name, call, open(), redact);
    else if (!(await this.#placeConverted(name, call, open))) {
      await this.#dumps.place(name, process, isRewritable);
    }
  }

  /** Of a dump that can't be opened nothing is taken: who knows what it tells. */
  async #placeRedacted(
    name: string,
    call: CallEntry,
    dump: Dump | undefined,
    redact: DumpRewriter,
  ): Promise<void> {
    this.#rewritten.add(name);
    if (dump === undefined) {
      if (call.status === 'no_record' && dumpNameFrom(name) === name) this.#dumps.makeDirectory(name);
      return;
    }
    try {
      await this.#dumps.placeRewritten(name, dump, redact, this.#processOf(call));
    } finally {
      dump.close();
    }
  }

  /** False where the dump is to be placed as it is. */
  async #placeConverted(name: string, call: CallEntry, open: () => Dump | undefined): Promise<boolean> {
    if (this.#conversion === undefined) return false;
    let dump: Dump | undefined;
    try {
      dump = open();
      if (dump === undefined) {
        this.#noteUnconverted(name, call, call.problem ?? 'it has no record');
        return false;
      }
      const isPlaced = await this.#dumps.placeConverted(name, dump, this.#conversion, this.#processOf(call));
      if (isPlaced) this.#rewritten.add(name);
      return isPlaced;
    } catch (error) {
      if (!(error instanceof FirError)) throw error;
      this.#noteUnconverted(name, call, error.message);
      return false;
    } finally {
      dump?.close();
    }
  }

  #noteUnconverted(name: string, call: CallEntry, reason: string): void {
    if (name === call.dump) this.#unconverted.push({ call: call.number, reason });
  }

  async #writeIndex(lines: readonly KeptLine[]): Promise<void> {
    const isNeeded = this.#session.indexes.length > 0 || this.#selected.length === 0;
    if (!isNeeded) return;
    const bytes = await writeIndex(
      {
        session: this.#session,
        target: this.#target,
        isRewritten: (dump) => this.#rewritten.has(dump),
        processOf: (dump) => {
          const call = this.#captured.get(dump) ?? this.#session.callOf(dump);
          return call === undefined ? undefined : this.#processOf(call);
        },
      },
      lines,
      () => this.#breathe(),
    );
    this.#placer.count(bytes);
  }

  #placeHeaders(): void {
    const { root, realRoot, processes } = this.#session;
    const rewrite = this.#options.redact?.rewriteHeader ?? ((text: string) => text);
    const needed = new Set(this.#selected.map((call) => call.processUid));
    for (const uid of needed) {
      if (!processes.has(uid) || !isPlainName(uid)) continue;
      const source = realpathSync(join(root, 'processes', `${uid}.json`));
      if (!source.startsWith(realRoot)) continue;
      mkdirSync(join(this.#target, 'processes'), { recursive: true, mode: 0o700 });
      this.#placer.write(
        join(this.#target, 'processes', `${uid}.json`),
        rewrite(readFileSync(source, 'utf8')),
      );
    }
  }

  #placeOf(dump: string): number | 'captured' | undefined {
    if (this.#captured.has(dump)) return 'captured';
    const number = this.#session.callOf(dump)?.number;
    return number !== undefined && this.#isSelected[number] === 1 ? number : undefined;
  }

  /** Where another recorder's process is not the first of its id, its records alone no longer tell. */
  #processOf(call: CallEntry): string | undefined {
    const { recorder, status, processUid, pid } = call;
    if (recorder !== 'foreign' || status === 'no_record' || processUid === `pid${pid}`) return undefined;
    return processUid;
  }

  /** Lets signals and other work in between. FirError INTERRUPTED. */
  async #breathe(): Promise<void> {
    if (Date.now() - this.#breathedAt >= BREATH_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#breathedAt = Date.now();
    }
    if (this.#options.signal?.aborted === true) {
      throw new FirError('INTERRUPTED', 'the extraction was interrupted');
    }
  }
}

function isSnapshot(call: CallEntry): boolean {
  return snapshotOf(call.dump) !== undefined;
}

function openOf(session: Session, call: CallEntry): Dump | undefined {
  return call.problem === undefined ? session.openDump(call) : undefined;
}
