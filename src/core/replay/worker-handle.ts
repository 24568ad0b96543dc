import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { FirError } from '../errors.js';
import { OutputCapture } from './output-capture.js';
import {
  encodeMessage,
  endOfOutput,
  MessageReader,
  type RunOutcome,
  type RunPhase,
  type RunRequest,
  type WorkerMessage,
  type WorkerRequest,
  type WorkerSetup,
} from './protocol.js';

const START_TIMEOUT_MS = 60_000;
const LAST_WORDS_MS = 250;

export interface WorkerOptions {
  entry: string;
  nodeOptions: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  setup: Omit<WorkerSetup, 'type'>;
}

/** How a request to run a call ended. */
export type RunEnd =
  | { kind: 'outcome'; outcome: RunOutcome }
  | {
      kind: 'died';
      /** `SIGSEGV`, `exited with code 3`. */
      how: string;
      phase: RunPhase;
      error?: { name: string; message: string; stack?: string };
    }
  | { kind: 'timeout'; phase: RunPhase };

interface Running {
  id: number;
  phase: RunPhase;
  timeoutMs: number;
  timer: NodeJS.Timeout | undefined;
  finish(end: RunEnd): void;
}

/** A worker process, seen from its parent. It runs one call at a time. */
export class WorkerHandle {
  readonly #child: ChildProcess;
  readonly #mark = randomUUID();
  readonly #requests: Writable;
  readonly #stdout: OutputCapture;
  readonly #stderr: OutputCapture;
  #running: Running | undefined;
  #fault: { name: string; message: string; stack?: string } | undefined;
  #isAlive = true;
  #lastId = 0;
  readonly #exited: Promise<void>;

  private constructor(options: WorkerOptions, onReady: () => void) {
    const args = [...options.nodeOptions, options.entry, this.#mark, String(process.pid)];
    this.#child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // Its own group: a terminal's Ctrl-C is for the parent, and its children can be ended with it.
      detached: true,
    });
    const [, , , requests, answers] = this.#child.stdio;
    this.#requests = requests as Writable;
    // A worker that dies while it is written to: its exit says so.
    this.#requests.on('error', () => undefined);
    const reader = new MessageReader<WorkerMessage>(this.#mark, (message) => {
      if (message.type === 'ready') onReady();
      else this.#take(message);
    });
    (answers as Readable | null)?.on('data', (chunk: Buffer) => reader.push(chunk));
    this.#stdout = new OutputCapture(this.#child.stdout);
    this.#stderr = new OutputCapture(this.#child.stderr);
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', () => resolve());
      this.#child.on('exit', (code, signal) => {
        // What it said last may still be in the pipes; a process that the call left behind may hold them open.
        const closed = new Promise((onClose) => this.#child.on('close', onClose));
        Promise.race([closed, setTimeoutPromise(LAST_WORDS_MS)]).then(() => {
          this.#died(signal ?? `exited with code ${code}`);
          resolve();
        });
      });
    });
  }

  /** FirError WORKER_FAILED where the process ends, or says nothing for a minute, before it is ready. */
  static async start(options: WorkerOptions): Promise<WorkerHandle> {
    let onReady: () => void = () => undefined;
    const ready = new Promise<true>((resolve) => {
      onReady = () => resolve(true);
    });
    const worker = new WorkerHandle(options, () => onReady());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), START_TIMEOUT_MS);
    });
    const isReady = await Promise.race([ready, late, worker.#exited.then(() => false)]);
    clearTimeout(timer);
    if (!isReady) {
      const { stderr } = await worker.takeOutput();
      worker.kill();
      throw new FirError(
        'WORKER_FAILED',
        `a replay worker could not be started: ${stderr?.trim() ?? 'no output'}`,
        {
          hint: 'check the values of --node-option and NODE_OPTIONS',
        },
      );
    }
    worker.#send({ type: 'setup', ...options.setup });
    return worker;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Calls that it was given. */
  get runs(): number {
    return this.#lastId;
  }

  /** Runs a call. `timeoutMs` holds for loading its code and tensors, and again for the call; a comparison may take what it takes. */
  run(request: Omit<RunRequest, 'type' | 'id'>, timeoutMs: number): Promise<RunEnd> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const running: Running = {
        id,
        phase: 'prepare',
        timeoutMs,
        timer: undefined,
        finish: (end) => {
          clearTimeout(running.timer);
          this.#running = undefined;
          resolve(end);
        },
      };
      this.#running = running;
      if (!this.#isAlive) {
        running.finish({ kind: 'died', how: 'was gone before the call', phase: 'prepare' });
        return;
      }
      this.#startTimer(running);
      for (const capture of [this.#stdout, this.#stderr]) capture.expect(endOfOutput(this.#mark, id));
      this.#send({ type: 'run', id, ...request });
    });
  }

  drop(keys: readonly string[]): void {
    this.#send({ type: 'drop', keys });
  }

  /** What the last call wrote. */
  async takeOutput(): Promise<{ stdout: string | undefined; stderr: string | undefined }> {
    const [stdout, stderr] = await Promise.all([this.#stdout.take(), this.#stderr.take()]);
    return { stdout, stderr };
  }

  /** Ends the process and those that it started, at once. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  /** Lets the process end by itself, and waits a little for that. */
  async close(): Promise<void> {
    this.#requests.end();
    const timer = setTimeout(() => this.kill(), 2000);
    await this.#exited;
    clearTimeout(timer);
    this.kill();
  }

  #send(request: WorkerRequest): void {
    if (this.#isAlive) this.#requests.write(encodeMessage(request, this.#mark));
  }

  #take(message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    const running = this.#running;
    if (message.type === 'fault') {
      this.#fault = message.error;
    } else if (running !== undefined && message.id === running.id) {
      if (message.type === 'outcome') running.finish({ kind: 'outcome', outcome: message.outcome });
      else {
        running.phase = message.phase;
        this.#startTimer(running);
      }
    }
  }

  #startTimer(running: Running): void {
    clearTimeout(running.timer);
    if (running.phase === 'judge') return;
    running.timer = setTimeout(() => {
      this.#isAlive = false;
      this.kill();
      running.finish({ kind: 'timeout', phase: running.phase });
    }, running.timeoutMs);
  }

  #died(how: string): void {
    this.#isAlive = false;
    const running = this.#running;
    const error = this.#fault;
    running?.finish({ kind: 'died', how, phase: running.phase, ...(error === undefined ? {} : { error }) });
  }
}
