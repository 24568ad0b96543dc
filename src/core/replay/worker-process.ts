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
  | { kind: 'timeout'; phase: RunPhase };

export type Answered<Answer> = { kind: 'answer'; answer: Answer } | FailedRun;

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
 * A process that runs one call at a time and is told apart from the called code's own doings: requests on its descriptor
 * 3, answers on 4, stdout and stderr kept by call. What requests and answers look like is the caller's.
 */
export class WorkerProcess<Answer> {
  readonly mark = randomUUID().replaceAll('-', '');
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #requests: Writable | undefined;
  readonly #stdout: OutputCapture;
  readonly #stderr: OutputCapture;
  #running: Running<Answer> | undefined;
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

  /** Calls that it was given. */
  get runs(): number {
    return this.#lastId;
  }

  /** Why there never was a process. */
  get startError(): Error | undefined {
    return this.#startError;
  }

  send(...chunks: (string | Uint8Array)[]): void {
    if (!this.#isAlive) return;
    this.#requests?.cork();
    for (const chunk of chunks) this.#requests?.write(chunk);
    this.#requests?.uncork();
  }

  /**
   * Gives the call to the process by `send`, and waits for `answer`. `timeoutMs` holds for loading its code and tensors,
   * and again for the call; a comparison may take what it takes.
   */
  run(timeoutMs: number, send: (id: number) => void): Promise<Answered<Answer>> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const running: Running<Answer> = {
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
      for (const capture of [this.#stdout, this.#stderr]) capture.expect(endOfOutput(this.mark, id));
      send(id);
    });
  }

  /** The process says where in a call it is. */
  enter(id: number, phase: RunPhase): void {
    if (this.#running?.id !== id) return;
    this.#running.phase = phase;
    this.#startTimer(this.#running);
  }

  answer(id: number, answer: Answer): void {
    if (this.#running?.id === id) this.#running.finish({ kind: 'answer', answer });
  }

  /** The process says why it is about to end. */
  blame(error: ThrownError): void {
    this.#fault = error;
  }

  /** What the last call wrote. */
  async takeOutput(): Promise<CallOutput> {
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
    this.#requests?.end();
    const timer = setTimeout(() => this.kill(), CLOSE_MS);
    await this.exited;
    clearTimeout(timer);
    this.kill();
  }

  #startTimer(running: Running<Answer>): void {
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
