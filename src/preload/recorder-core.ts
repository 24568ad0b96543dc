import { AsyncLocalStorage } from 'node:async_hooks';
import { isPromise } from 'node:util/types';
import { messageOf } from '../core/errors.js';
import type { FirFields } from '../core/model/call.js';
import { CallGate } from './call-gate.js';
import type { CallRedaction } from './call-redaction.js';
import { CallWriter } from './call-writer.js';
import { nowMicros } from './clock.js';
import { followPromise } from './follow-promise.js';
import type { CallLog } from './log.js';
import type { ObjectTable } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import type { CallInProgress } from './recorded-call.js';
import type { RecordedFunction } from './recorded-function.js';
import { Rotation } from './rotation/rotation.js';
import { DUMP_LEVEL, type RecorderSettings } from './settings.js';

const MAX_ERROR_KINDS = 20;
/** Recorded calls inside one another that keep their files open: the program needs descriptors too. */
const MAX_OPEN_CALLS = 16;

/** AsyncLocalStorage costs every await of the program on Nodes that build it on async hooks. */
const CHEAP_ASYNC_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/** What an asynchronous context knows of the recorded calls around it. */
interface CallScope {
  sequence: number;
  hasEnded: boolean;
  outer: CallScope | undefined;
}

/** Runs calls and has them recorded. Nothing that goes wrong in the recording reaches the program. */
export class Recorder {
  readonly #settings: RecorderSettings;
  readonly #header: HeaderFile;
  readonly #log: () => CallLog;
  readonly #gate: CallGate;
  readonly #rotation: Rotation | undefined;
  readonly #writer: CallWriter;
  readonly #context: AsyncLocalStorage<CallScope> | undefined;
  readonly #errors = new Map<string, { message: string; count: number }>();
  readonly #stack: number[] = [];
  #pending = 0;

  constructor(settings: RecorderSettings, header: HeaderFile, log: () => CallLog, redaction?: CallRedaction) {
    this.#settings = settings;
    this.#header = header;
    this.#log = log;
    this.#gate = new CallGate(settings);
    this.#rotation =
      settings.onLimit === 'rotate' && settings.level >= DUMP_LEVEL ? this.#createRotation() : undefined;
    this.#writer = new CallWriter(settings, header, this.#gate, { redaction, rotation: this.#rotation });
    this.#context =
      CHEAP_ASYNC_CONTEXT || settings.asyncParents ? new AsyncLocalStorage<CallScope>() : undefined;
  }

  get objects(): ObjectTable {
    return this.#writer.objects;
  }

  /** The thread ends: what it recorded may be dropped by others from now on. */
  close(): void {
    ifPossible(() => this.#rotation?.close());
  }

  /** Runs a call and records it. `self` is the receiver of a method, undefined for functions and constructors. */
  run(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    invoke: () => unknown,
  ): unknown {
    if (this.#settings.level < DUMP_LEVEL) return this.#runLogged(fn, args, invoke);
    const call = this.guard('begin', () => this.#writer.begin(fn, self, args, this.#parent()));
    if (call === undefined) return invoke();
    const scope = { sequence: call.sequence, hasEnded: false, outer: this.#context?.getStore() };
    let result: unknown;
    this.#stack.push(call.sequence);
    if (this.#stack.length > MAX_OPEN_CALLS) this.guard('begin', () => call.metadata.close());
    try {
      result = this.#context === undefined ? invoke() : this.#context.run(scope, invoke);
    } catch (error) {
      this.#stack.pop();
      scope.hasEnded = true;
      this.guard('end', () => this.#writer.fail(fn, call, error));
      throw error;
    }
    this.#stack.pop();
    if (isPromise(result)) return this.#follow(fn, call, scope, result);
    scope.hasEnded = true;
    this.guard('end', () => this.#writer.complete(fn, call, result));
    return result;
  }

  /**
   * An error in the recorder is logged once per kind and counted; the program goes on. `kind` is the message without
   * what differs from call to call.
   */
  noteError(message: string, kind = message): void {
    const known = this.#errors.get(kind);
    if (known !== undefined) known.count += 1;
    else if (this.#errors.size < MAX_ERROR_KINDS) {
      const entry = { message, count: 1 };
      this.#errors.set(kind, entry);
      this.#header.header.errors.push(entry);
      ifPossible(() =>
        this.#log().warn(`fir could not record a call (${message}); the program goes on without it`),
      );
    }
    ifPossible(() => this.#header.countDropped('error'));
  }

  /** Does work of the recorder's own; where it throws, the error is noted and undefined comes back. */
  guard<T>(stage: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const message = messageOf(error);
      const code: unknown = (error as NodeJS.ErrnoException | undefined)?.code;
      this.noteError(`${stage}: ${message}`, typeof code === 'string' ? code : message);
      return undefined;
    }
  }

  #createRotation(): Rotation {
    const { directory, maxBytes, maxCount, maxPerFunction } = this.#settings;
    return new Rotation({
      session: directory,
      uid: this.#header.uid,
      maxBytes,
      maxCount,
      maxPerFunction,
      onDropped: (functionName) => ifPossible(() => this.#header.countDropped('rotated', functionName)),
      onStateLost: (className) => ifPossible(() => this.#noteLostState(className)),
    });
  }

  #noteLostState(className: string): void {
    if (!this.#header.countLostState(className)) return;
    this.#log().warn(
      `fir dropped earlier calls on an object of class ${className} at the limit: its later calls are recorded, and can't be replayed; raise --max-count or --max-size`,
    );
  }

  #follow(
    fn: RecordedFunction,
    call: CallInProgress,
    scope: CallScope,
    promise: Promise<unknown>,
  ): Promise<unknown> {
    this.guard('return', () => this.#writer.noteReturn(call));
    this.#pending += 1;
    const end = (): void => {
      this.#pending -= 1;
      scope.hasEnded = true;
    };
    const settle = (write: () => void): void => {
      end();
      this.guard('end', write);
    };
    const followed = this.guard('follow', () =>
      followPromise(
        promise,
        (value) => settle(() => this.#writer.complete(fn, call, value)),
        (error) => settle(() => this.#writer.fail(fn, call, error)),
      ),
    );
    if (followed === undefined) end();
    return followed ?? promise;
  }

  /** Levels below 10 write nothing but log lines. */
  #runLogged(fn: RecordedFunction, args: readonly unknown[], invoke: () => unknown): unknown {
    const { level } = this.#settings;
    if (!this.#gate.isSelected(fn.name)) return invoke();
    this.guard('log', () => this.#log().call(fn.name, level, args));
    const startedAt = nowMicros();
    const tell = (result: unknown, error: unknown): void => {
      const durationUs = Math.round(nowMicros() - startedAt);
      this.guard('log', () => this.#log().result(fn.name, level, durationUs, result, error));
    };
    let result: unknown;
    try {
      result = invoke();
    } catch (error) {
      tell(undefined, error);
      throw error;
    }
    if (!isPromise(result)) {
      tell(result, undefined);
      return result;
    }
    const promise = result;
    const followed = this.guard('follow', () =>
      followPromise(
        promise,
        (value) => tell(value, undefined),
        (error) => tell(undefined, error),
      ),
    );
    return followed ?? promise;
  }

  /** The recorded call that this one runs inside; unknown where a pending async call may be it. */
  #parent(): FirFields['parent'] {
    if (this.#context !== undefined) {
      let scope = this.#context.getStore();
      // What a call has set going may outlive it: a timer, an event handler.
      while (scope?.hasEnded) scope = scope.outer;
      return scope?.sequence ?? null;
    }
    return this.#stack.at(-1) ?? (this.#pending > 0 ? 'unknown' : null);
  }
}

/** Tells of an error where that can be done: a disk that is full takes neither the log nor the header. */
function ifPossible(tell: () => void): void {
  try {
    tell();
  } catch {
    // There is nowhere left to say it.
  }
}
