import { AsyncLocalStorage } from 'node:async_hooks';
import { isPromise } from 'node:util/types';
import { messageOf } from '../core/errors.js';
import type { FirFields } from '../core/model/call.js';
import { CallGate } from './call-gate.js';
import { CallWriter } from './call-writer.js';
import { nowMicros } from './clock.js';
import { followPromise } from './follow-promise.js';
import type { CallLog } from './log.js';
import type { ObjectTable } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import type { CallInProgress } from './recorded-call.js';
import type { RecordedFunction } from './recorded-function.js';
import type { RecorderSettings } from './settings.js';

const DUMP_LEVEL = 10;
const MAX_ERROR_KINDS = 20;

/** AsyncLocalStorage costs every await of the program on Nodes that build it on async hooks. */
const CHEAP_ASYNC_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/** Runs calls and has them recorded. Nothing that goes wrong in the recording reaches the program. */
export class Recorder {
  readonly #settings: RecorderSettings;
  readonly #header: HeaderFile;
  readonly #log: () => CallLog;
  readonly #gate: CallGate;
  readonly #writer: CallWriter;
  readonly #context: AsyncLocalStorage<number> | undefined;
  readonly #stack: number[] = [];
  #pending = 0;

  constructor(settings: RecorderSettings, header: HeaderFile, log: () => CallLog) {
    this.#settings = settings;
    this.#header = header;
    this.#log = log;
    this.#gate = new CallGate(settings);
    this.#writer = new CallWriter(settings.directory, header, this.#gate);
    this.#context =
      CHEAP_ASYNC_CONTEXT || settings.asyncParents ? new AsyncLocalStorage<number>() : undefined;
  }

  get objects(): ObjectTable {
    return this.#writer.objects;
  }

  /** Runs a call and records it. `self` is the receiver of a method, undefined for functions and constructors. */
  run(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    invoke: () => unknown,
  ): unknown {
    if (this.#settings.level < DUMP_LEVEL) return this.#runLogged(fn, args, invoke);
    const call = this.#guard('begin', () => this.#writer.begin(fn, self, args, this.#parent()));
    if (call === undefined) return invoke();
    let result: unknown;
    this.#stack.push(call.sequence);
    try {
      result = this.#context === undefined ? invoke() : this.#context.run(call.sequence, invoke);
    } catch (error) {
      this.#stack.pop();
      this.#guard('end', () => this.#writer.fail(fn, call, error));
      throw error;
    }
    this.#stack.pop();
    if (isPromise(result)) return this.#follow(fn, call, result);
    this.#guard('end', () => this.#writer.complete(fn, call, result));
    return result;
  }

  /** An error in the recorder is logged once per kind and counted; the program goes on. */
  noteError(message: string): void {
    try {
      const { errors } = this.#header.header;
      const known = errors.find((entry) => entry.message === message);
      if (known !== undefined) known.count += 1;
      else if (errors.length < MAX_ERROR_KINDS) {
        errors.push({ message, count: 1 });
        this.#log().warn(`fir could not record a call (${message}); the program goes on without it`);
      }
      this.#header.countDropped('error');
    } catch {
      // Neither the header nor the log can be written: there is nowhere left to say it.
    }
  }

  #follow(fn: RecordedFunction, call: CallInProgress, promise: Promise<unknown>): Promise<unknown> {
    this.#guard('return', () => this.#writer.noteReturn(call));
    this.#pending += 1;
    return followPromise(
      promise,
      (value) => {
        this.#pending -= 1;
        this.#guard('end', () => this.#writer.complete(fn, call, value));
      },
      (error) => {
        this.#pending -= 1;
        this.#guard('end', () => this.#writer.fail(fn, call, error));
      },
    );
  }

  /** Levels below 10 write nothing but log lines. */
  #runLogged(fn: RecordedFunction, args: readonly unknown[], invoke: () => unknown): unknown {
    const { level } = this.#settings;
    if (!this.#gate.isSelected(fn.name)) return invoke();
    this.#guard('log', () => this.#log().call(fn.name, level, args));
    const startedAt = nowMicros();
    const tell = (result: unknown, error: unknown): void => {
      const durationUs = Math.round(nowMicros() - startedAt);
      this.#guard('log', () => this.#log().result(fn.name, level, durationUs, result, error));
    };
    let result: unknown;
    try {
      result = invoke();
    } catch (error) {
      tell(undefined, error);
      throw error;
    }
    if (isPromise(result)) {
      return followPromise(
        result,
        (value) => tell(value, undefined),
        (error) => tell(undefined, error),
      );
    }
    tell(result, undefined);
    return result;
  }

  #guard<T>(stage: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.noteError(`${stage}: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** The recorded call that this one runs inside; unknown where a pending async call may be it. */
  #parent(): FirFields['parent'] {
    if (this.#context !== undefined) return this.#context.getStore() ?? null;
    return this.#stack.at(-1) ?? (this.#pending > 0 ? 'unknown' : null);
  }
}
