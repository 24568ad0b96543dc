import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync } from 'node:fs';
import { isPromise } from 'node:util/types';
import { messageOf } from '../core/errors.js';
import type { FirFields, RecordedError, Resolution } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import { ValueEncoder } from '../core/values/index.js';
import { AppendLog } from './append-log.js';
import { BlobStore } from './blob-store.js';
import { CallGate } from './call-gate.js';
import { compactFromMicros, isoFromMicros, nowMicros } from './clock.js';
import { describeTensor } from './describe-tensor.js';
import { makeDumpDirectory, writeGroupFile } from './dump-files.js';
import { followPromise } from './follow-promise.js';
import type { CallLog } from './log.js';
import { ObjectTable } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import { RecordText } from './record-text.js';
import {
  type CallEnd,
  type CallInProgress,
  closeMetadata,
  openMetadata,
  releaseMetadata,
} from './recorded-call.js';
import type { RecordedFunction } from './recorded-function.js';
import type { RecorderSettings } from './settings.js';
import { Snapshot } from './snapshot.js';
import { layOutGroup, logicalData } from './tensor-group.js';

const INPUTS_FILE = 'inputs.safetensors';
const OUTPUTS_FILE = 'outputs.safetensors';
const MUTATED_FILE = 'mutated.safetensors';
const CONTENTLESS_ROLES: readonly TensorRole[] = ['out'];
const CHECKED_ROLES: readonly TensorRole[] = ['inout', 'unknown'];

/** AsyncLocalStorage costs every await of the program on Nodes that build it on async hooks. */
const CHEAP_ASYNC_CONTEXT = Number(process.versions.node.split('.')[0]) >= 24;

/** Records calls: inputs to disk, the call, its end to disk. Nothing that goes wrong in here reaches the program. */
export class Recorder {
  readonly objects = new ObjectTable();
  readonly #settings: RecorderSettings;
  readonly #header: HeaderFile;
  readonly #log: () => CallLog;
  readonly #gate: CallGate;
  readonly #blobs: BlobStore;
  readonly #context: AsyncLocalStorage<number> | undefined;
  readonly #callSequences = new Map<string, number>();
  readonly #stack: number[] = [];
  #index: AppendLog | undefined;
  #sequence = 0;
  #endSequence = 0;
  #pending = 0;
  #versionsText = '';
  #versionsCount = 0;

  constructor(settings: RecorderSettings, header: HeaderFile, log: () => CallLog) {
    this.#settings = settings;
    this.#header = header;
    this.#log = log;
    this.#gate = new CallGate(settings);
    this.#blobs = new BlobStore(settings.directory);
    this.#context =
      CHEAP_ASYNC_CONTEXT || settings.asyncParents ? new AsyncLocalStorage<number>() : undefined;
  }

  /** Runs a call and records it. `self` is the receiver of a method, undefined for functions and constructors. */
  run(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    invoke: () => unknown,
  ): unknown {
    if (this.#settings.level < 10) return this.#runLogged(fn, args, invoke);
    const call = this.#guard('begin', () => this.#begin(fn, self, args));
    if (call === undefined) return invoke();
    let result: unknown;
    this.#stack.push(call.sequence);
    try {
      result = this.#context === undefined ? invoke() : this.#context.run(call.sequence, invoke);
    } catch (error) {
      this.#stack.pop();
      this.#guard('end', () => this.#fail(fn, call, error));
      throw error;
    }
    this.#stack.pop();
    if (isPromise(result)) return this.#settle(fn, call, result);
    this.#guard('end', () => this.#complete(fn, call, result));
    return result;
  }

  /** Levels below 10 write nothing but log lines. */
  #runLogged(fn: RecordedFunction, args: readonly unknown[], invoke: () => unknown): unknown {
    const { level } = this.#settings;
    if (!this.#gate.isSelected(fn.name)) return invoke();
    this.#guard('log', () => this.#log().call(fn.name, level, args));
    const startedAt = nowMicros();
    const tell = (result: unknown, error: unknown): void => {
      this.#guard('log', () =>
        this.#log().result(fn.name, level, Math.round(nowMicros() - startedAt), result, error),
      );
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
    return followPromise(
      result,
      (value) => tell(value, undefined),
      (error) => tell(undefined, error),
    );
  }

  /** An error in the recorder is logged once per kind and counted; the program goes on. */
  #guard<T>(stage: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.noteError(`${stage}: ${messageOf(error)}`);
      return undefined;
    }
  }

  noteError(message: string): void {
    try {
      const known = this.#header.header.errors.find((entry) => entry.message === message);
      if (known !== undefined) known.count += 1;
      else if (this.#header.header.errors.length < 20) {
        this.#header.header.errors.push({ message, count: 1 });
        this.#log().warn(`fir could not record a call (${message}); the program goes on without it`);
      }
      this.#header.countDropped('error');
    } catch {
      // Not even the header or the log can be written: there is nowhere left to say it.
    }
  }

  #settle(fn: RecordedFunction, call: CallInProgress, promise: Promise<unknown>): Promise<unknown> {
    this.#guard('return', () => {
      releaseMetadata(call);
      call.changedAtReturn = this.#changedNow(call);
    });
    this.#pending += 1;
    return followPromise(
      promise,
      (value) => {
        this.#pending -= 1;
        this.#guard('end', () => this.#complete(fn, call, value));
      },
      (error) => {
        this.#pending -= 1;
        this.#guard('end', () => this.#fail(fn, call, error));
      },
    );
  }

  #begin(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
  ): CallInProgress | undefined {
    if (!this.#gate.isSelected(fn.name)) {
      this.#header.countDropped('filter');
      return undefined;
    }
    const startedAt = nowMicros();
    const encoder = this.#encoder();
    const inputMetadata: Record<string, JsonValue> = {};
    const containers = new Map<string, { value: unknown; text: string }>();
    for (let index = 0; index < args.length; index += 1) {
      const key = `arg_${index}`;
      const value = args[index];
      const encoded = fn.encodeArgument?.(index, value) ?? encoder.encode(value, key);
      if (encoder.tensors.has(key)) continue;
      inputMetadata[key] = encoded;
      if (isMutableContainer(encoded) && CHECKED_ROLES.includes(this.#role(fn, key))) {
        containers.set(key, { value, text: JSON.stringify(encoded) });
      }
    }
    const sources = encoder.tensors;
    const primaries: [TensorSource, string][] = [];
    const inputs = layOutGroup(INPUTS_FILE, sources, {
      storageId: (storage) => this.objects.storageId(storage),
      sameAs: (key, source) => findSame(primaries, key, source),
      isContentless: (key) => CONTENTLESS_ROLES.includes(this.#role(fn, key)),
      ...(fn.isBlob === undefined
        ? {}
        : {
            blob: (key: string, source: TensorSource) =>
              fn.isBlob?.(key) ? this.#blobs.store(logicalData(source)) : undefined,
          }),
    });
    if (!this.#gate.admit(inputs.fileBytes)) {
      this.#header.countDropped('limit');
      return undefined;
    }
    this.#open();
    this.#sequence += 1;
    const sequence = this.#sequence;
    const callSequence = (this.#callSequences.get(fn.name) ?? 0) + 1;
    this.#callSequences.set(fn.name, callSequence);
    const timestamp = compactFromMicros(startedAt);
    const dumpDir = makeDumpDirectory(
      this.#settings.directory,
      `${timestamp}_pid${process.pid}_${fileNameFrom(fn.name)}_call${String(callSequence).padStart(4, '0')}`,
    );
    const dump = `${this.#settings.directory}/${dumpDir}`;
    if (inputs.pieces.length > 0) writeGroupFile(dump, inputs);
    const selfId =
      fn.constructs !== undefined ? this.objects.reserve() : self && this.objects.find(self)?.self_id;
    const roles = this.#declaredRoles(fn, inputs.keys);
    const problems =
      self !== undefined && selfId === undefined && fn.kind === 'method'
        ? [...encoder.problems, `its object was not constructed while recording (a ${className(self)})`]
        : encoder.problems;
    const text = new RecordText({
      functionName: fn.name,
      module: fn.module,
      callSequence,
      timestamp,
      processId: process.pid,
      selfId,
      inputMetadata,
      inputs,
      signature: fn.signature,
      versions: this.#versions(),
      dumpDir,
      fir: {
        process_uid: this.#header.uid,
        sequence,
        parent: this.#parent(),
        started_at: isoFromMicros(startedAt),
        kind: fn.kind,
        ...(fn.constructs === undefined ? {} : { constructs: true, self_class: fn.constructs }),
        ...(roles === undefined ? {} : { roles }),
        ...(problems.length === 0 ? {} : { not_replayable: problems }),
        ...(encoder.truncated ? { truncated: true } : {}),
      },
    });
    const line = text.started(settledResolution(fn));
    const metadataFd = openMetadata(dump, line);
    this.#index?.append(line);
    const { checked, outKeys } = this.#checkedArguments(fn, sources, inputs);
    return {
      sequence,
      functionName: fn.name,
      dump,
      metadataFd,
      text,
      startedAt: nowMicros(),
      inputs: sources,
      inputGroup: inputs,
      snapshot: checked.size === 0 ? undefined : new Snapshot(inputs, `${dump}/${INPUTS_FILE}`, checked),
      outKeys,
      containers,
      changedAtReturn: undefined,
      selfId,
      checkedAnything: checked.size > 0 || sources.size === 0,
    };
  }

  #complete(fn: RecordedFunction, call: CallInProgress, result: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    const outputMetadata: Record<string, JsonValue> = {};
    const made = fn.constructs ?? fn.madeBy?.(result);
    let selfId = call.selfId;
    const fir: Partial<FirFields> = { duration_us: durationUs };
    if (made !== undefined && result !== null && typeof result === 'object') {
      if (fn.constructs === undefined) {
        selfId = this.objects.find(result)?.self_id;
        if (selfId === undefined) {
          selfId = this.objects.reserve();
          fir.constructs = true;
          fir.self_class = made;
        }
      }
      if (selfId !== undefined) this.objects.bind(result, selfId, made);
    }
    const encoder = this.#encoder();
    if (fn.kind === 'constructor') outputMetadata['result'] = null;
    else {
      const encoded = encoder.encode(result, 'result');
      if (!encoder.tensors.has('result')) outputMetadata['result'] = encoded;
    }
    this.#finish(call, { status: 'completed', outputMetadata, outputs: encoder.tensors, fir }, fn, selfId);
  }

  #fail(fn: RecordedFunction, call: CallInProgress, thrown: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    const error = recordedError(thrown, this.#encoder());
    const end: CallEnd = {
      status: 'failed',
      outputMetadata: {},
      outputs: new Map(),
      fir: { duration_us: durationUs },
      error,
    };
    this.#finish(call, end, fn, call.selfId);
  }

  #finish(call: CallInProgress, end: CallEnd, fn: RecordedFunction, selfId: number | undefined): void {
    const isAsync = call.metadataFd === undefined;
    const primaries: [TensorSource, string][] = [...call.inputs].map(([key, source]) => [source, key]);
    const outputs = layOutGroup(OUTPUTS_FILE, end.outputs, {
      storageId: (storage) => this.objects.storageId(storage),
      sameAs: (key, source) => findSame(primaries, key, source),
    });
    if (outputs.pieces.length > 0) writeGroupFile(call.dump, outputs);
    const changes = this.#changes(call, isAsync);
    const mutatedSources = new Map<string, TensorSource>();
    for (const key of [...changes.keys, ...call.outKeys]) {
      const source = call.inputs.get(key);
      if (source !== undefined) mutatedSources.set(key, source);
    }
    if (mutatedSources.size > 0) {
      const mutated = layOutGroup(MUTATED_FILE, mutatedSources, {
        isPlain: true,
        storageId: (storage) => this.objects.storageId(storage),
      });
      if (mutated.pieces.length > 0) writeGroupFile(call.dump, mutated);
      this.#gate.addBytes(mutated.fileBytes);
    }
    this.#gate.addBytes(outputs.fileBytes);
    const containers = this.#changedContainers(call, fn);
    this.#endSequence += 1;
    const fir: Partial<FirFields> = {
      ...end.fir,
      end_sequence: this.#endSequence,
      ...(isAsync ? { async: true } : {}),
      ...(call.checkedAnything || call.outKeys.length > 0
        ? { mutated_tensor_keys: [...mutatedSources.keys()] }
        : {}),
      ...(changes.pending.length === 0 ? {} : { mutated_pending_keys: changes.pending }),
      ...(containers === undefined ? {} : { mutated_arguments: containers }),
    };
    const line = call.text.ended(
      {
        status: end.status,
        outputMetadata: end.outputMetadata,
        outputs,
        fir,
        ...(end.error === undefined ? {} : { error: end.error }),
      },
      settledResolution(fn),
      selfId === call.selfId ? undefined : selfId,
    );
    closeMetadata(call, line);
    this.#index?.append(line);
  }

  /** The checked arguments that the synchronous part changed, with what they held then. */
  #changedNow(call: CallInProgress): Map<string, Uint8Array> | undefined {
    if (call.snapshot === undefined) return undefined;
    const changed = new Map<string, Uint8Array>();
    for (const key of call.snapshot.changedKeys()) {
      const source = call.snapshot.source(key);
      if (source !== undefined) changed.set(key, Uint8Array.from(logicalData(source)));
    }
    return changed;
  }

  #changes(call: CallInProgress, isAsync: boolean): { keys: string[]; pending: string[] } {
    const { snapshot } = call;
    if (snapshot === undefined) return { keys: [], pending: [] };
    const keys = snapshot.changedKeys();
    if (!isAsync) return { keys, pending: [] };
    const atReturn = call.changedAtReturn;
    const pending = keys.filter((key) => {
      const then = atReturn?.get(key);
      const source = snapshot.source(key);
      return then === undefined || source === undefined || Buffer.compare(then, logicalData(source)) !== 0;
    });
    // Changed at the return and changed back since: its end state is the input, and who did it is not known.
    const restored = [...(atReturn?.keys() ?? [])].filter((key) => !keys.includes(key));
    return { keys, pending: [...pending, ...restored] };
  }

  #changedContainers(call: CallInProgress, fn: RecordedFunction): Record<string, JsonValue> | undefined {
    let changed: Record<string, JsonValue> | undefined;
    for (const [key, before] of call.containers) {
      const index = Number(key.slice(4));
      const encoded = fn.encodeArgument?.(index, before.value) ?? this.#encoder().encode(before.value, key);
      if (JSON.stringify(encoded) === before.text) continue;
      changed ??= {};
      changed[key] = encoded;
    }
    return changed;
  }

  #checkedArguments(
    fn: RecordedFunction,
    sources: ReadonlyMap<string, TensorSource>,
    inputs: { layouts: Record<string, { data?: unknown }> },
  ): { checked: Map<string, TensorSource>; outKeys: string[] } {
    const checked = new Map<string, TensorSource>();
    const outKeys: string[] = [];
    for (const [key, source] of sources) {
      const role = this.#role(fn, key);
      if (role === 'out') outKeys.push(key);
      const data = inputs.layouts[key]?.data as { file?: string } | undefined;
      if (CHECKED_ROLES.includes(role) && data?.file !== undefined) checked.set(key, source);
    }
    return { checked, outKeys };
  }

  #role(fn: RecordedFunction, key: string): TensorRole {
    return fn.roleOf?.(key) ?? 'unknown';
  }

  #declaredRoles(fn: RecordedFunction, keys: readonly string[]): Record<string, TensorRole> | undefined {
    if (fn.roleOf === undefined) return undefined;
    let roles: Record<string, TensorRole> | undefined;
    for (const key of keys) {
      const role = fn.roleOf(key);
      if (role === 'unknown') continue;
      roles ??= {};
      roles[key] = role;
    }
    return roles;
  }

  /** The recorded call that this one runs inside; unknown where a pending async call may be it. */
  #parent(): number | null | 'unknown' {
    if (this.#context !== undefined) return this.#context.getStore() ?? null;
    return this.#stack.at(-1) ?? (this.#pending > 0 ? 'unknown' : null);
  }

  #encoder(): ValueEncoder {
    return new ValueEncoder({
      describeTensor,
      objectRef: (value) => this.objects.find(value),
    });
  }

  #versions(): string {
    const { versions } = this.#header.header;
    const count = Object.keys(versions).length;
    if (count !== this.#versionsCount) {
      this.#versionsCount = count;
      this.#versionsText = JSON.stringify(versions);
    }
    return this.#versionsText;
  }

  /** Makes the session at the first call that is recorded. */
  #open(): void {
    if (this.#index !== undefined) return;
    mkdirSync(this.#settings.directory, { recursive: true, mode: 0o700 });
    this.#header.write();
    this.#index = new AppendLog(`${this.#settings.directory}/session.jsonl`);
  }
}

/** A tentative answer stands in the process header only: a record says what is known for sure. */
function settledResolution(fn: RecordedFunction): Resolution | undefined {
  const { current } = fn.resolve;
  return current?.kind === 'module' && current.tentative ? undefined : current;
}

function isMutableContainer(encoded: JsonValue): boolean {
  if (encoded === null || typeof encoded !== 'object' || Array.isArray(encoded)) return false;
  return ['list', 'dict', 'js.map', 'js.set'].includes(String(encoded['type']));
}

function findSame(
  primaries: [TensorSource, string][],
  key: string,
  source: TensorSource,
): string | undefined {
  for (const [other, otherKey] of primaries) {
    if (isSameTensor(other, source)) return otherKey;
  }
  primaries.push([source, key]);
  return undefined;
}

function isSameTensor(a: TensorSource, b: TensorSource): boolean {
  return (
    a.storage === b.storage &&
    a.byteOffset === b.byteOffset &&
    a.dtype === b.dtype &&
    a.host === b.host &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, dim) => size === b.shape[dim]) &&
    a.stride.every((step, dim) => step === b.stride[dim])
  );
}

function recordedError(thrown: unknown, encoder: ValueEncoder): RecordedError {
  if (thrown instanceof Error) {
    return {
      name: String(thrown.name),
      message: String(thrown.message),
      ...(typeof thrown.stack === 'string' ? { stack: thrown.stack } : {}),
    };
  }
  return { name: typeof thrown, message: messageOf(thrown), value: encoder.encode(thrown, 'error') };
}

function className(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'object';
}

/** A function's name as part of a directory's: no separator, nothing that a shell or a terminal takes amiss. */
function fileNameFrom(functionName: string): string {
  return functionName.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 120) || '_';
}
