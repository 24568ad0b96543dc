import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConsentOptions, type Language, languageOf } from '../executors/index.js';
import type { Reporter } from '../model/reporter.js';
import type { CallResult, ReplaySummary } from '../model/verdict.js';
import type { ReplayPlan } from '../plan/replay-plan.js';
import type { CallEntry, Session } from '../session/index.js';
import { NodeWorker, type NodeWorkerOptions } from './node-worker.js';
import type { ReplayOptions } from './options.js';
import type { PythonSite } from './python/python-site.js';
import type { ReplayWorker } from './replay-worker.js';
import { StateLedger } from './state-ledger.js';
import { SummaryCounter } from './summary.js';

const FAILURES = new Set(['mismatch', 'error', 'crashed', 'timeout']);

/** What the lanes of one replay share. */
export class ReplayContext {
  readonly session: Session;
  readonly plan: ReplayPlan;
  readonly options: ReplayOptions;
  readonly consent: ConsentOptions;
  readonly ledger: StateLedger;
  readonly #reporter: Reporter;
  readonly #nodeWorker: NodeWorkerOptions;
  readonly #python: PythonSite | undefined;
  readonly #counter = new SummaryCounter();
  readonly #workers = new Set<ReplayWorker>();
  readonly #saidOnce = new Set<string>();
  #reports: Promise<void> = Promise.resolve();
  #folder: string | undefined;
  #files = 0;
  #isEnded = false;
  #hasFailure = false;

  constructor(parts: {
    session: Session;
    plan: ReplayPlan;
    options: ReplayOptions;
    consent: ConsentOptions;
    reporter: Reporter;
    nodeWorker: NodeWorkerOptions;
    python: PythonSite | undefined;
  }) {
    this.session = parts.session;
    this.plan = parts.plan;
    this.options = parts.options;
    this.consent = parts.consent;
    this.ledger = new StateLedger(parts.plan);
    this.#reporter = parts.reporter;
    this.#nodeWorker = parts.nodeWorker;
    this.#python = parts.python;
  }

  /** The replay was interrupted, or a lane could not go on: nothing more is run or told. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** With --fail-fast: what is left is not run. */
  get isStopped(): boolean {
    return this.options.failFast && this.#hasFailure;
  }

  entryOf(call: number): CallEntry {
    const entry = this.session.calls[call - 1];
    if (entry === undefined) throw new RangeError(`no call ${call}`);
    return entry;
  }

  begin(entry: CallEntry): void {
    this.#reporter.onCallBegin?.({
      call: entry.number,
      dump: entry.dump,
      function: entry.functionName,
      pid: entry.pid,
    });
  }

  /** Told one after the other, also where several lanes run. */
  report(result: CallResult): Promise<void> {
    if (FAILURES.has(result.verdict)) this.#hasFailure = true;
    this.#reports = this.#reports.then(async () => {
      if (this.#isEnded) return;
      this.#counter.add(result);
      await this.#reporter.onCallEnd?.(result);
    });
    return this.#reports;
  }

  /** Those of the notes that were not said before. */
  firstTime(notes: readonly string[]): string[] {
    const fresh = notes.filter((note) => !this.#saidOnce.has(note));
    for (const note of fresh) this.#saidOnce.add(note);
    return fresh;
  }

  languageOf(entry: CallEntry): Language {
    return languageOf(entry, this.consent);
  }

  /** FirError WORKER_FAILED, PYTHON_FAILED, DEVICE_MISSING. */
  async startWorker(language: Language): Promise<ReplayWorker> {
    const worker =
      language === 'python' && this.#python !== undefined
        ? await this.#python.startWorker()
        : await NodeWorker.start(this.#nodeWorker);
    this.#workers.add(worker);
    if (this.#isEnded) worker.process.kill();
    return worker;
  }

  async closeWorker(worker: ReplayWorker): Promise<void> {
    this.#workers.delete(worker);
    await worker.process.close();
  }

  /** A name for a file that is gone after the replay. What a session holds is private, and so is this. */
  temporaryFile(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'fir-replay-'));
    this.#files += 1;
    return join(this.#folder, String(this.#files));
  }

  dispose(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Kills what runs. */
  end(): void {
    this.#isEnded = true;
    for (const worker of this.#workers) worker.process.kill();
  }

  summarise(calls: number, wasInterrupted: boolean): ReplaySummary {
    const { allowIncomplete } = this.options;
    return this.#counter.finish(calls, { allowIncomplete, wasInterrupted });
  }
}
