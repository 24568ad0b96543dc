import { mkdirSync } from 'node:fs';
import { messageOf } from '../core/errors.js';
import type { FirFields, RecordedError, Resolution } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import { ValueEncoder } from '../core/values/index.js';
import { AppendLog } from './append-log.js';
import { ArgumentChecks, type Container, isChecked, roleOf } from './argument-checks.js';
import { BlobStore } from './blob-store.js';
import type { CallGate } from './call-gate.js';
import { compactFromMicros, isoFromMicros, nowMicros } from './clock.js';
import { describeTensor } from './describe-tensor.js';
import { makeDumpDirectory, writeGroupFile } from './dump-files.js';
import { LineBuffer } from './line-buffer.js';
import { ObjectTable } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import { type RecordEnd, RecordText } from './record-text.js';
import { type CallInProgress, DumpLog } from './recorded-call.js';
import type { RecordedFunction } from './recorded-function.js';
import { SameTensors } from './same-tensor.js';
import { type LayoutContext, layOutGroup, logicalData, type TensorGroup } from './tensor-group.js';

const INPUTS_FILE = 'inputs.safetensors';
const OUTPUTS_FILE = 'outputs.safetensors';
const MUTATED_FILE = 'mutated.safetensors';

interface EncodedArguments {
  metadata: Record<string, JsonValue>;
  tensors: ReadonlyMap<string, TensorSource>;
  containers: Map<string, Container>;
  problems: string[];
  isTruncated: boolean;
}

/** Puts calls on disk: the inputs and a first record before a call runs, the rest and a last record when it ends. */
export class CallWriter {
  readonly objects = new ObjectTable();
  readonly #directory: string;
  readonly #header: HeaderFile;
  readonly #gate: CallGate;
  readonly #blobs: BlobStore;
  readonly #callSequences = new Map<string, number>();
  readonly #lines = new LineBuffer();
  #index: AppendLog | undefined;
  #sequence = 0;
  #endSequence = 0;
  #versions = { count: 0, text: '{}' };

  constructor(directory: string, header: HeaderFile, gate: CallGate) {
    this.#directory = directory;
    this.#header = header;
    this.#gate = gate;
    this.#blobs = new BlobStore(directory);
  }

  /** Saves the inputs. Undefined where a filter or a limit leaves the call out. */
  begin(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    parent: FirFields['parent'],
  ): CallInProgress | undefined {
    if (!this.#gate.isSelected(fn.name)) {
      this.#header.countDropped('filter');
      return undefined;
    }
    const startedAt = nowMicros();
    const encoded = this.#encodeArguments(fn, args);
    const inputs = layOutGroup(INPUTS_FILE, encoded.tensors, this.#inputContext(fn));
    if (!this.#gate.admit(inputs.fileBytes)) {
      this.#header.countDropped('limit');
      return undefined;
    }
    this.#open();
    this.#sequence += 1;
    const callSequence = (this.#callSequences.get(fn.name) ?? 0) + 1;
    this.#callSequences.set(fn.name, callSequence);
    const timestamp = compactFromMicros(startedAt);
    const number = String(callSequence).padStart(4, '0');
    const dumpDir = makeDumpDirectory(
      this.#directory,
      `${timestamp}_pid${process.pid}_${fileNameFrom(fn.name)}_call${number}`,
    );
    const dump = `${this.#directory}/${dumpDir}`;
    if (inputs.pieces.length > 0) writeGroupFile(dump, inputs);
    const selfId =
      fn.constructs === undefined ? self && this.objects.find(self)?.self_id : this.objects.reserve();
    if (fn.kind === 'method' && self !== undefined && selfId === undefined) {
      encoded.problems.push(`its object, a ${className(self)}, was not constructed while recording`);
    }
    const text = new RecordText({
      functionName: fn.name,
      module: fn.module,
      callSequence,
      timestamp,
      processId: process.pid,
      selfId,
      inputMetadata: encoded.metadata,
      inputs,
      signature: fn.signature,
      versions: this.#versionsText(),
      dumpDir,
      fir: {
        process_uid: this.#header.uid,
        sequence: this.#sequence,
        parent,
        started_at: isoFromMicros(startedAt),
        kind: fn.kind,
        ...(fn.constructs === undefined ? {} : { constructs: true, self_class: fn.constructs }),
        ...declaredRoles(fn, inputs.keys),
        ...(encoded.problems.length === 0 ? {} : { not_replayable: encoded.problems }),
        ...(encoded.isTruncated ? { truncated: true } : {}),
      },
    });
    const metadata = new DumpLog(dump);
    this.#append(metadata, text.started(settledResolution(fn)));
    const path = `${dump}/${INPUTS_FILE}`;
    const checks = new ArgumentChecks(fn, encoded.tensors, inputs, path, encoded.containers);
    return {
      sequence: this.#sequence,
      dump,
      text,
      startedAt: nowMicros(),
      selfId,
      inputs: encoded.tensors,
      checks,
      metadata,
      isAsync: false,
    };
  }

  /** The synchronous part of an async call has returned. */
  noteReturn(call: CallInProgress): void {
    call.isAsync = true;
    call.metadata.close();
    call.checks.noteReturn();
  }

  complete(fn: RecordedFunction, call: CallInProgress, result: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    const made = this.#bindMade(fn, call, result);
    const encoder = this.#encoder();
    const outputMetadata: Record<string, JsonValue> = {};
    if (fn.kind === 'constructor') outputMetadata['result'] = null;
    else {
      const encoded = encoder.encode(result, 'result');
      if (!encoder.tensors.has('result')) outputMetadata['result'] = encoded;
    }
    this.#finish(fn, call, encoder.tensors, made?.selfId, {
      status: 'completed',
      outputMetadata,
      fir: {
        duration_us: durationUs,
        ...(made === undefined ? {} : { constructs: true, self_class: made.class }),
      },
    });
  }

  fail(fn: RecordedFunction, call: CallInProgress, thrown: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    this.#finish(fn, call, new Map(), undefined, {
      status: 'failed',
      outputMetadata: {},
      fir: { duration_us: durationUs },
      error: recordedError(thrown, this.#encoder()),
    });
  }

  #finish(
    fn: RecordedFunction,
    call: CallInProgress,
    results: ReadonlyMap<string, TensorSource>,
    madeSelfId: number | undefined,
    end: Omit<RecordEnd, 'outputs'>,
  ): void {
    const same = new SameTensors(call.inputs);
    const outputs = layOutGroup(OUTPUTS_FILE, results, {
      ...this.#context(),
      sameAs: (key, source) => same.find(key, source),
    });
    this.#writeGroup(call, outputs);
    const changes = call.checks.changes();
    this.#writeGroup(call, layOutGroup(MUTATED_FILE, changes.sources, { ...this.#context(), isPlain: true }));
    const changed = call.checks.changedContainers(
      (key, value) => fn.encodeArgument?.(argumentIndex(key), value) ?? this.#encoder().encode(value, key),
    );
    this.#endSequence += 1;
    const fir: Partial<FirFields> = {
      ...end.fir,
      end_sequence: this.#endSequence,
      ...(call.isAsync ? { async: true } : {}),
      ...(changes.mutatedKeys === undefined ? {} : { mutated_tensor_keys: changes.mutatedKeys }),
      ...(changes.pendingKeys.length === 0 ? {} : { mutated_pending_keys: changes.pendingKeys }),
      ...(changed === undefined ? {} : { mutated_arguments: changed }),
    };
    this.#append(call.metadata, call.text.ended({ ...end, outputs, fir }, settledResolution(fn), madeSelfId));
    call.metadata.close();
  }

  /** Numbers the object that a constructor or factory made. Returns what the call was only now found to make. */
  #bindMade(
    fn: RecordedFunction,
    call: CallInProgress,
    result: unknown,
  ): { selfId: number; class: string } | undefined {
    if (result === null || typeof result !== 'object') return undefined;
    if (fn.constructs !== undefined) {
      if (call.selfId !== undefined) this.objects.bind(result, call.selfId, fn.constructs);
      return undefined;
    }
    const made = fn.madeBy?.(result);
    if (made === undefined || this.objects.find(result) !== undefined) return undefined;
    const selfId = this.objects.reserve();
    this.objects.bind(result, selfId, made);
    return { selfId, class: made };
  }

  #encodeArguments(fn: RecordedFunction, args: readonly unknown[]): EncodedArguments {
    const encoder = this.#encoder();
    const metadata: Record<string, JsonValue> = {};
    const containers = new Map<string, Container>();
    for (let index = 0; index < args.length; index += 1) {
      const key = `arg_${index}`;
      const value = args[index];
      const encoded = fn.encodeArgument?.(index, value) ?? encoder.encode(value, key);
      if (encoder.tensors.has(key)) continue;
      metadata[key] = encoded;
      if (isMutableContainer(encoded) && isChecked(roleOf(fn, key))) {
        containers.set(key, { value, text: JSON.stringify(encoded) });
      }
    }
    return {
      metadata,
      tensors: encoder.tensors,
      containers,
      problems: [...encoder.problems],
      isTruncated: encoder.truncated,
    };
  }

  #context(): LayoutContext {
    return { storageId: (storage) => this.objects.storageId(storage) };
  }

  #inputContext(fn: RecordedFunction): LayoutContext {
    const same = new SameTensors();
    const { isBlob } = fn;
    return {
      ...this.#context(),
      sameAs: (key, source) => same.find(key, source),
      isContentless: (key) => roleOf(fn, key) === 'out',
      ...(isBlob === undefined
        ? {}
        : { blob: (key, source) => (isBlob(key) ? this.#blobs.store(logicalData(source)) : undefined) }),
    };
  }

  #writeGroup(call: CallInProgress, group: TensorGroup): void {
    if (group.pieces.length === 0) return;
    writeGroupFile(call.dump, group);
    this.#gate.addBytes(group.fileBytes);
  }

  /** The dump's own log first: it is the truth about the call, the index only lists it. */
  #append(metadata: DumpLog, line: string): void {
    const bytes = this.#lines.encode(line);
    metadata.append(bytes);
    this.#index?.append(bytes);
  }

  #encoder(): ValueEncoder {
    return new ValueEncoder({ describeTensor, objectRef: (value) => this.objects.find(value) });
  }

  #versionsText(): string {
    const { versions } = this.#header.header;
    const count = Object.keys(versions).length;
    if (count !== this.#versions.count) this.#versions = { count, text: JSON.stringify(versions) };
    return this.#versions.text;
  }

  /** Makes the session at the first call that is recorded. */
  #open(): void {
    if (this.#index !== undefined) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#header.write();
    this.#index = new AppendLog(`${this.#directory}/session.jsonl`);
  }
}

/** A tentative answer stands in the process header only: a record says what is known for sure. */
function settledResolution(fn: RecordedFunction): Resolution | undefined {
  const { current } = fn.resolve;
  return current?.kind === 'module' && current.tentative ? undefined : current;
}

function declaredRoles(
  fn: RecordedFunction,
  keys: readonly string[],
): { roles?: Record<string, TensorRole> } {
  if (fn.roleOf === undefined) return {};
  const roles: Record<string, TensorRole> = {};
  for (const key of keys) {
    const role = fn.roleOf(key);
    if (role !== 'unknown') roles[key] = role;
  }
  return { roles };
}

function isMutableContainer(encoded: JsonValue): boolean {
  if (encoded === null || typeof encoded !== 'object' || Array.isArray(encoded)) return false;
  return ['list', 'dict', 'js.map', 'js.set'].includes(String(encoded['type']));
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

function argumentIndex(key: string): number {
  return Number(key.slice('arg_'.length));
}

/** A function's name as part of a directory's: no separator, nothing that a shell or a terminal takes amiss. */
function fileNameFrom(functionName: string): string {
  return functionName.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 120) || '_';
}
