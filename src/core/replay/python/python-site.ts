import type { ComparisonOptions } from '../../compare/index.js';
import { FirError } from '../../errors.js';
import type { ConsentOptions } from '../../executors/index.js';
import type { CallRecord } from '../../model/call.js';
import { DeviceMap } from './device-map.js';
import type { JudgeContext } from './judge-answer.js';
import { INLINE_BYTES, type PythonSetup } from './protocol.js';
import { PythonWorker } from './python-worker.js';
import { SharedFiles } from './shared-files.js';

export interface SiteOptions {
  interpreter: string;
  /** Directory of the worker's code. */
  worker: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** In front of `sys.path`. */
  pythonPath: readonly string[];
  /** `auto`, `cpu`, `cuda` or `cuda:N`. */
  device: string;
  consent: ConsentOptions;
  comparison: ComparisonOptions;
  trustGraphInputs: boolean;
  /** Of the inputs that are made up where recorded values were redacted. */
  seed: number;
  /** Ends a worker that is about to start. */
  signal: AbortSignal | undefined;
}

/** The Python environment of a replay, which its workers share: interpreter, devices, files that pass tensors. */
export class PythonSite implements JudgeContext {
  readonly interpreter: string;
  readonly worker: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly consent: ConsentOptions;
  readonly comparison: ComparisonOptions;
  readonly trustGraphInputs: boolean;
  /** Of the inputs that are made up where recorded values were redacted. */
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly files = new SharedFiles();
  readonly setup: Omit<PythonSetup, 'type'>;
  devices = new DeviceMap('cpu', []);
  /** Where tensors go; known once a worker has started. */
  device: string | undefined;
  #versions: Readonly<Record<string, string>> = {};
  #spare: PythonWorker | undefined;
  #failure: FirError | undefined;

  constructor(options: SiteOptions) {
    this.interpreter = options.interpreter;
    this.worker = options.worker;
    this.cwd = options.cwd;
    this.env = options.env;
    this.consent = options.consent;
    this.comparison = options.comparison;
    this.trustGraphInputs = options.trustGraphInputs;
    this.seed = options.seed;
    this.signal = options.signal;
    const [shared, fallback] = this.files.folders;
    this.setup = {
      python_path: options.pythonPath,
      device: options.device,
      allow: options.consent.allow,
      shared,
      fallback,
      inline_bytes: INLINE_BYTES,
    };
  }

  /**
   * Starts the first worker, so that the device is known. A Python that can't be used is told with each call.
   *
   * @throws FirError DEVICE_MISSING.
   */
  async open(): Promise<void> {
    try {
      this.#spare = await this.#start();
    } catch (error) {
      if (!(error instanceof FirError) || error.code !== 'PYTHON_FAILED') throw error;
      this.#failure = error;
    }
  }

  /** FirError PYTHON_FAILED, DEVICE_MISSING. */
  async startWorker(): Promise<PythonWorker> {
    if (this.#failure !== undefined) throw this.#failure;
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.process.isAlive === true ? spare : this.#start();
  }

  /** What computes has another version here than when the call was recorded. */
  versionNotes({ versions }: CallRecord): string[] {
    const notes: string[] = [];
    for (const [name, here] of Object.entries(this.#versions)) {
      const recorded = Object.hasOwn(versions ?? {}, name) ? versions?.[name] : undefined;
      if (typeof recorded === 'string' && recorded !== here && !recorded.startsWith('<'))
        notes.push(`${name} is ${here} here, ${recorded} when it was recorded`);
    }
    return notes;
  }

  async dispose(): Promise<void> {
    await this.#spare?.process.close();
    this.files.dispose();
  }

  async #start(): Promise<PythonWorker> {
    const { worker, ready } = await PythonWorker.start(this);
    if (this.device === undefined) {
      this.device = ready.device;
      this.devices = new DeviceMap(ready.device, ready.devices);
      this.#versions = { ...ready.versions, torch: ready.torch };
    }
    return worker;
  }
}
