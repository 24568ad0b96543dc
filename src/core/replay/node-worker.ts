import { FirError } from '../errors.js';
import type { Dump } from '../session/index.js';
import {
  encodeMessage,
  MessageReader,
  type RunOutcome,
  type RunRequest,
  type WorkerMessage,
  type WorkerRequest,
  type WorkerSetup,
} from './protocol.js';
import type { GivenRun, ReplayWorker } from './replay-worker.js';
import { WorkerProcess } from './worker-process.js';

const START_TIMEOUT_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 60_000;
const TIMEOUT_FACTOR = 20;

export interface NodeWorkerOptions {
  entry: string;
  nodeOptions: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  setup: Omit<WorkerSetup, 'type'>;
}

/** A worker that runs JavaScript calls, and compares what they give. */
export class NodeWorker implements ReplayWorker {
  readonly process: WorkerProcess<RunOutcome>;
  /** It compares by itself, and keeps what it compared in a file that the next call would replace. */
  readonly canRunAhead = false;

  private constructor(options: NodeWorkerOptions, onReady: () => void) {
    let reader: MessageReader<WorkerMessage> | undefined;
    this.process = new WorkerProcess({
      command: process.execPath,
      argsFor: (mark) => [...options.nodeOptions, options.entry, mark, String(process.pid)],
      cwd: options.cwd,
      env: options.env,
      onAnswer: (chunk) => reader?.push(chunk),
    });
    reader = new MessageReader<WorkerMessage>(this.process.mark, (message) => {
      if (message.type === 'ready') onReady();
      else this.#take(message);
    });
  }

  /** FirError WORKER_FAILED where the process ends, or says nothing for a minute, before it is ready. */
  static async start(options: NodeWorkerOptions): Promise<NodeWorker> {
    let onReady: () => void = () => undefined;
    const ready = new Promise<true>((resolve) => {
      onReady = () => resolve(true);
    });
    const worker = new NodeWorker(options, () => onReady());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), START_TIMEOUT_MS);
    });
    const isReady = await Promise.race([ready, late, worker.process.exited.then(() => false)]);
    clearTimeout(timer);
    if (!isReady) {
      const lastWords = worker.process.takeLastWords();
      worker.process.kill();
      throw new FirError(
        'WORKER_FAILED',
        `a replay worker could not be started: ${lastWords ?? 'no output'}`,
        {
          hint: 'check the values of --node-option and NODE_OPTIONS',
        },
      );
    }
    worker.#send({ type: 'setup', ...options.setup });
    return worker;
  }

  give(request: Omit<RunRequest, 'type' | 'id'>, { record }: Dump, timeoutMs: number | undefined): GivenRun {
    const recordedMs = (record.fir?.duration_us ?? 0) / 1000;
    const limit = timeoutMs ?? Math.max(DEFAULT_TIMEOUT_MS, TIMEOUT_FACTOR * recordedMs);
    const given = this.process.give(limit, (id) => this.#send({ type: 'run', id, ...request }));
    return {
      end: async () => {
        const end = await given.end;
        return end.kind === 'answer' ? { kind: 'outcome', outcome: end.answer } : end;
      },
      output: () => this.process.takeOutput(given.id),
      forget: () => undefined,
    };
  }

  drop(keys: readonly string[]): void {
    this.#send({ type: 'drop', keys });
  }

  #send(request: WorkerRequest): void {
    this.process.send(encodeMessage(request, this.process.mark));
  }

  #take(message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    if (message.type === 'fault') this.process.blame(message.error);
    else if (message.type === 'phase') this.process.enter(message.id, message.phase);
    else this.process.answer(message.id, message.outcome);
  }
}
