import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { OutputCapture } from './output-capture.js';
import { endOfOutput, type RunPhase } from './protocol.js';

const LAST_WORDS_MS = 250;
const CLOSE_MS = 2000;

export interface ProcessOptions {
  command: string;
  /** `mark` is the pair's own: what carries it was written by the worker, not by the called code. */
  argsFor(mark: string): readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  onAnswer(chunk: Buffer): void;
}

export interface ThrownError {
  name: string;
  message: string;
  stack?: string;
}

/** How the wait for an answer ended where none came. */
export type FailedRun =
  | {
      kind: 'died';
      /** `SIGSEGV`, `exited with code 3`. */
      how: string;
      phase: RunPhase;
      error?: ThrownError;
    }
  | { kind: 'timeout'; phase: RunPhase }
  /** The process was gone before it came to the call. */
  | { kind: 'notBegun' };

export type Answered<Answer> = { kind: 'answer'; answer: Answer } | FailedRun;

/** A call that a process was given. */
export interface GivenCall<Answer> {
  id: number;
  end: Promise<Answered<Answer>>;
}

interface Running<Answer> {
  id: number;
  phase: RunPhase;
  timeoutMs: number;
  timer: NodeJS.Timeout | undefined;
  finish(end: Answered<Answer>): void;
}

export interface CallOutput {
  stdout: string | undefined;
  stderr: string | undefined;
}

/**
 * A process that runs one call after the other and is told apart from the called code's own doings: requests on its descriptor
 * 3, answers on 4, stdout and stderr kept by call. What requests and answers look like is the caller's.
 */
export class WorkerProcess<Answer> {
  readonly mark = randomUUID().replaceAll('-', '');
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #requests: Writable | undefined;
  readonly #stdout: OutputCapture;
  readonly #stderr: OutputCapture;
  /** The call that runs, and those that come after it. */
  #given: Running<Answer>[] = [];
  #begun = 0;
  #fault: ThrownError | undefined;
  #isAlive = true;
  #lastId = 0;
  #startError: Error | undefined;

  constructor(options: ProcessOptions) {
    const { command, cwd, env } = options;
    this.#child = spawn(command, options.argsFor(this.mark), {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // Its own group: a terminal's Ctrl-C is for the parent, and its children can be ended with it.
      detached: true,
    });
    const [, , , requests, answers] = this.#child.stdio;
    this.#requests = (requests as Writable | null) ?? undefined;
    // A worker that dies while it is written to: its exit says so.
    this.#requests?.on('error', () => undefined);
    (answers as Readable | null)?.on('data', (chunk: Buffer) => options.onAnswer(chunk));
    this.#stdout = new OutputCapture(this.#child.stdout);
    this.#stderr = new OutputCapture(this.#child.stderr);
    this.exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#startError = error;
        this.#died(error.message);
        resolve();
      });
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

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Calls that it began. */
  get runs(): number {
    return this.#begun;
  }

  /** Why there never was a process. */
  get startError(): Error | undefined {
    return this.#startError;
  }

  /** What is sent in one go of the event loop reaches the process with one call of the system. */
  send(...chunks: (string | Uint8Array)[]): void {
    const requests = this.#requests;
    if (!this.#isAlive || requests === undefined) return;
    requests.cork();
    for (const chunk of chunks) requests.write(chunk);
    process.nextTick(() => requests.uncork());
  }

  /**
   * Gives a call to the process by `send`; it begins once those are answered that were given before. `timeoutMs` holds
   * for loading its code and tensors, and again for the call; a comparison may take what it takes.
   */
  give(timeoutMs: number, send: (id: number) => void): GivenCall<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const end = new Promise<Answered<Answer>>((resolve) => {
      if (!this.#isAlive) {
        resolve({ kind: 'notBegun' });
        return;
      }
      this.#given.push({ id, phase: 'prepare', timeoutMs, timer: undefined, finish: resolve });
      if (this.#given.length === 1) this.#begin();
      for (const capture of [this.#stdout, this.#stderr]) capture.expect(id, endOfOutput(this.mark, id));
      send(id);
    });
    return { id, end };
  }

  /** The process says where in a call it is. */
  enter(id: number, phase: RunPhase): void {
    const [running] = this.#given;
    if (running?.id !== id) return;
    running.phase = phase;
    this.#startTimer(running);
  }

  answer(id: number, answer: Answer): void {
    if (this.#given[0]?.id === id) this.#finish({ kind: 'answer', answer });
  }

  /** The process takes no more calls: those that it was given after the one that it answers next never began. */
  retire(): void {
    this.#isAlive = false;
  }

  /** The process says why it is about to end. */
  blame(error: ThrownError): void {
    this.#fault = error;
  }

  /** What a call wrote. */
  async takeOutput(id: number): Promise<CallOutput> {
    const [stdout, stderr] = await Promise.all([this.#stdout.take(id), this.#stderr.take(id)]);
    return { stdout, stderr };
  }

  /** What a process that never was ready said of that. */
  takeLastWords(): string | undefined {
    return this.#stderr.takeRest()?.trim();
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
    this.#requests?.end();
    const timer = setTimeout(() => this.kill(), CLOSE_MS);
    await this.exited;
    clearTimeout(timer);
    this.kill();
  }

  #begin(): void {
    const [next] = this.#given;
    if (next === undefined) return;
    this.#begun += 1;
    this.#startTimer(next);
  }

  #startTimer(running: Running<Answer>): void {
    clearTimeout(running.timer);
    if (running.phase === 'judge') return;
    running.timer = setTimeout(() => {
      this.#isAlive = false;
      this.kill();
      this.#finish({ kind: 'timeout', phase: running.phase });
    }, running.timeoutMs);
  }

  #died(how: string): void {
    this.#isAlive = false;
    const [running] = this.#given;
    const error = this.#fault;
    if (running === undefined) return;
    this.#finish({ kind: 'died', how, phase: running.phase, ...(error === undefined ? {} : { error }) });
  }

  /** Ends the call that runs. In a process that is gone the others never began. */
  #finish(end: Answered<Answer>): void {
    const running = this.#given.shift();
    clearTimeout(running?.timer);
    running?.finish(end);
    if (this.#isAlive) {
      this.#begin();
      return;
    }
    for (const waiting of this.#given.splice(0)) waiting.finish({ kind: 'notBegun' });
  }
}
