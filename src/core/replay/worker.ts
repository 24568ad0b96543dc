// Entry of a replay worker: a process of its own, so that what the called code does to it costs one verdict.
import { AsyncLocalStorage } from 'node:async_hooks';
import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { FirError } from '../errors.js';
import { describeThrown } from './call-end.js';
import { CallRunner } from './call-runner.js';
import {
  encodeMessage,
  endOfOutput,
  MessageReader,
  type RunPhase,
  type WorkerMessage,
  type WorkerRequest,
} from './protocol.js';

const REQUESTS_FD = 3;
const ANSWERS_FD = 4;
const LOST_PIPE_EXIT_CODE = 97;

/** Stops a worker that is busy in the called code after its parent was killed: only then nobody else would. */
const WATCHDOG = `
  const parent = require('node:worker_threads').workerData;
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);
`;

class ReplayWorkerProcess {
  readonly #mark: string;
  readonly #parent: number;
  readonly #requestsInode = fstatSync(REQUESTS_FD).ino;
  /** With their own `write`: programs put others in its place. */
  readonly #outputs = [process.stdout, process.stderr].map((stream) => ({
    stream,
    write: stream.write.bind(stream) as (text: string, onWritten: () => void) => boolean,
  }));
  #runner: CallRunner | undefined;
  #queue: Promise<void> = Promise.resolve();
  #phase: RunPhase | 'idle' = 'idle';
  #running = 0;
  /** Which call a callback was started by: an earlier call's timer may throw while another call is awaited. */
  readonly #startedBy = new AsyncLocalStorage<number>();
  /** Said with the next outcome: what went wrong beside the calls has no outcome of its own. */
  #strays: string[] = [];

  constructor(mark: string, parent: number) {
    this.#mark = mark;
    this.#parent = parent;
  }

  start(): void {
    const reader = new MessageReader<WorkerRequest>(this.#mark, (request) => {
      this.#queue = this.#queue.then(() => this.#take(request));
    });
    const requests = new Socket({ fd: REQUESTS_FD, readable: true, writable: false });
    requests.on('data', (chunk) => reader.push(chunk));
    // The parent closes the pipe, or is gone.
    requests.on('end', () => process.exit(0));
    requests.on('error', () => process.exit(LOST_PIPE_EXIT_CODE));
    process.on('uncaughtException', (error) => this.#uncaught(error));
    process.on('unhandledRejection', (reason) => this.#strays.push(`unhandled rejection: ${textOf(reason)}`));
    // Ctrl-C is the parent's to handle.
    process.on('SIGINT', () => undefined);
    startWatchdog(this.#parent);
    this.#send({ type: 'ready' });
  }

  async #take(request: WorkerRequest): Promise<void> {
    switch (request.type) {
      case 'setup':
        this.#runner = new CallRunner({
          ...request,
          onPhase: (id, phase) => {
            this.#phase = phase;
            this.#send({ type: 'phase', id, phase });
          },
        });
        return;
      case 'drop':
        await this.#runner?.drop(request.keys);
        return;
      case 'run': {
        if (this.#runner === undefined)
          throw new FirError('INTERNAL', 'a worker was asked to run before its setup');
        const runner = this.#runner;
        this.#running = request.id;
        const outcome = await this.#startedBy.run(request.id, () => runner.run(request));
        this.#phase = 'idle';
        this.#exitIfCutOff();
        outcome.notes.push(...this.#strays.splice(0));
        this.#endOutput(request.id);
        this.#send({ type: 'outcome', id: request.id, outcome });
      }
    }
  }

  /** Of the call that is awaited, it ends the process, as it would have ended the recorded program. */
  #uncaught(error: unknown): void {
    if (this.#phase !== 'invoke' || this.#startedBy.getStore() !== this.#running) {
      this.#strays.push(`uncaught exception after a call: ${textOf(error)}`);
      return;
    }
    this.#send({ type: 'fault', error: describeThrown(error) });
    process.exit(1);
  }

  /** A call that closed our descriptor is to blame: the next one would wait for ever. */
  #exitIfCutOff(): void {
    try {
      if (fstatSync(REQUESTS_FD).ino === this.#requestsInode) return;
    } catch {
      // Closed: there is nothing to read from.
    }
    process.exit(LOST_PIPE_EXIT_CODE);
  }

  /** Behind what the called code wrote, some of which its streams may still hold. */
  #endOutput(id: number): void {
    for (const { stream, write } of this.#outputs) {
      if (!stream.destroyed && !stream.writableEnded) write(endOfOutput(this.#mark, id), () => undefined);
    }
  }

  /** Synchronous, so that what was said is out before the called code can end the process. */
  #send(message: WorkerMessage): void {
    const bytes = Buffer.from(encodeMessage(message, this.#mark));
    let written = 0;
    while (written < bytes.length) {
      try {
        written += writeSync(ANSWERS_FD, bytes, written);
      } catch (error) {
        // A pipe that is full for the moment is tried again.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(LOST_PIPE_EXIT_CODE);
      }
    }
  }
}

/** `parent` comes from the parent itself: it may be gone before the thread runs. */
function startWatchdog(parent: number): void {
  try {
    new Worker(WATCHDOG, { eval: true, execArgv: [], env: {}, workerData: parent }).unref();
  } catch {
    // Not allowed (--permission): the end of the pipe still ends an idle worker.
  }
}

function textOf(thrown: unknown): string {
  const { name, message } = describeThrown(thrown);
  return `${name}: ${message}`;
}

const [mark = '', parent = ''] = process.argv.splice(2);
new ReplayWorkerProcess(mark, Number(parent)).start();
