import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { Resolution } from '../core/model/call.js';
import type { ProcessHeader } from '../core/model/session.js';
import type { CallRedaction } from './call-redaction.js';
import { isoFromMicros, nowMicros } from './clock.js';
import { writeBeside } from './dump-files.js';
import { DUMP_LEVEL, type RecorderSettings } from './settings.js';

/** Variables that change what is computed, and nothing that could hold a secret. */
const ALLOWED_ENV = [
  'CUDA_VISIBLE_DEVICES',
  'LANG',
  'LC_ALL',
  'NODE_ENV',
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'TZ',
  'UV_THREADPOOL_SIZE',
];

/** The header of this thread: written at the first recorded call, again whenever what it says changes. */
export class HeaderFile {
  readonly header: ProcessHeader;
  readonly #directory: string;
  readonly #isKept: boolean;
  readonly #redaction: CallRedaction | undefined;
  #written = false;

  constructor(
    settings: RecorderSettings,
    userNodeOptions: string | undefined,
    firVersion: string,
    redaction?: CallRedaction,
  ) {
    this.#redaction = redaction;
    this.#directory = `${settings.directory}/processes`;
    this.#isKept = settings.level >= DUMP_LEVEL;
    this.header = {
      format: 'fir.process/1',
      process_uid: randomBytes(8).toString('hex'),
      pid: process.pid,
      thread_id: threadId,
      ...(settings.capture === undefined ? {} : { capture: settings.capture }),
      started_at: isoFromMicros(nowMicros()),
      host: {
        platform: platform(),
        arch: arch(),
        release: release(),
        cpu: cpus()[0]?.model ?? 'unknown',
        memoryBytes: totalmem(),
      },
      argv: [...process.argv],
      execArgv: [...process.execArgv],
      ...(userNodeOptions === undefined ? {} : { node_options: userNodeOptions }),
      cwd: process.cwd(),
      env: allowedEnvironment(),
      versions: { fir: firVersion, node: process.versions.node, v8: process.versions.v8 },
      gpus: [],
      hooked: [],
      functions: {},
      dropped: { limit: 0, filter: 0, error: 0 },
      errors: [],
    };
  }

  get uid(): string {
    return this.header.process_uid;
  }

  addFunction(name: string, resolution: Resolution): void {
    this.header.functions[name] = resolution;
    if (this.#written) this.write();
  }

  addHooked(name: string, version: string | undefined): void {
    const label = version === undefined ? name : `${name}@${version}`;
    if (this.header.hooked.includes(label)) return;
    this.header.hooked.push(label);
    if (version !== undefined) this.header.versions[name] = version;
    if (this.#written) this.write();
  }

  /**
   * Counts what was left out, at limits by function; the file is written at the first, then at every doubling, and at the
   * end. `rotated`: a call that was recorded and dropped later.
   */
  countDropped(kind: 'limit' | 'filter' | 'error' | 'rotated', functionName?: string): void {
    const { dropped } = this.header;
    const count = (dropped[kind] ?? 0) + 1;
    dropped[kind] = count;
    if (functionName !== undefined) {
      dropped.functions ??= {};
      addOne(dropped.functions, functionName);
    }
    if ((count & (count - 1)) === 0) this.write();
  }

  /** Later calls of an object can't be replayed, since earlier ones were dropped. True for the first of its class. */
  countLostState(className: string): boolean {
    const { dropped } = this.header;
    dropped.states ??= {};
    const count = addOne(dropped.states, className);
    if ((count & (count - 1)) === 0) this.write();
    return count === 1;
  }

  /** Nothing where calls are only logged. */
  write(): void {
    if (!this.#isKept) return;
    if (!this.#written) {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      this.#written = true;
    }
    const text = Buffer.from(JSON.stringify(this.#redaction?.header(this.header) ?? this.header), 'utf8');
    writeBeside(`${this.#directory}/${this.uid}.json`, this.uid, [text]);
  }

  end(): void {
    this.header.ended_at = isoFromMicros(nowMicros());
    // What was hooked and never called is worth telling, but only to a `fir capture` that asks.
    const isAsked =
      this.header.capture !== undefined &&
      (this.header.hooked.length > 0 || Object.keys(this.header.functions).length > 0);
    if (this.#written || isAsked) this.write();
  }
}

function allowedEnvironment(): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const name of ALLOWED_ENV) {
    const value = process.env[name];
    if (value !== undefined) allowed[name] = value;
  }
  return allowed;
}

/** The name is the program's own: `__proto__` is one like any other. */
function addOne(counts: Record<string, number>, name: string): number {
  const count = (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0) + 1;
  Object.defineProperty(counts, name, { value: count, enumerable: true, configurable: true, writable: true });
  return count;
}
