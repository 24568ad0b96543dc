import { mkdirSync } from 'node:fs';
import type { FirFields, Resolution } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import { AppendLog } from '../core/session/append-log.js';
import { ValueEncoder } from '../core/values/index.js';
import { ArgumentChecks } from './argument-checks.js';
import type { CallGate } from './call-gate.js';
import type { CallRedaction } from './call-redaction.js';
import { compactFromMicros, isoFromMicros, nowMicros } from './clock.js';
import { ContainerChecks } from './container-checks.js';
import { describeTensor } from './describe-tensor.js';
import { dumpNameFrom, makeDumpDirectory, removeIfPossible } from './dump-files.js';
import { encodeArguments } from './encode-arguments.js';
import { LeftOutCalls } from './left-out-calls.js';
import { LineBuffer } from './line-buffer.js';
import { ObjectTable, type RecordedObject } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import { type RecordEnd, type RecordStart, RecordText } from './record-text.js';
import { type CallInProgress, DumpLog } from './recorded-call.js';
import { recordedError } from './recorded-error.js';
import type { RecordedFunction } from './recorded-function.js';
import type { KeptCall, StorageId } from './rotation/kept-call.js';
import type { Rotation } from './rotation/rotation.js';
import { stateRuleOf } from './rotation/state-rule.js';
import { changedMemory, writableMemory } from './rotation/writable-memory.js';
import type { RecorderSettings } from './settings.js';
import { settledResolution, startFields } from './start-fields.js';
import { TensorFiles, type WritableGroup } from './tensor-files.js';
import type { TensorGroup } from './tensor-group.js';

/** Puts calls on disk: the inputs and a first record before a call runs, the rest and a last record when it ends. */
export class CallWriter {
  readonly objects = new ObjectTable();
  readonly #leftOut = new LeftOutCalls(this.objects);
  readonly #directory: string;
  readonly #header: HeaderFile;
  readonly #gate: CallGate;
  readonly #redaction: CallRedaction | undefined;
  readonly #rotation: Rotation | undefined;
  readonly #files: TensorFiles;
  readonly #callSequences = new Map<string, number>();
  readonly #lines = new LineBuffer();
  #index: AppendLog | undefined;
  #isOpen = false;
  #sequence = 0;
  #endSequence = 0;
  #versions = { count: 0, text: '{}' };

  constructor(
    { directory, tensorFormat, dedupe }: Pick<RecorderSettings, 'directory' | 'tensorFormat' | 'dedupe'>,
    header: HeaderFile,
    gate: CallGate,
    { redaction, rotation }: { redaction?: CallRedaction | undefined; rotation?: Rotation | undefined } = {},
  ) {
    this.#rotation = rotation;
    this.#directory = directory;
    this.#header = header;
    this.#gate = gate;
    this.#redaction = redaction;
    this.#files = new TensorFiles({
      session: directory,
      tag: header.uid,
      format: tensorFormat,
      dedupe,
      gate,
      objects: this.objects,
      redaction,
      onContent: (sha256, bytes) => rotation?.noteContent(sha256, bytes),
    });
  }

  /** Saves the inputs. Undefined where a filter or a limit leaves the call out. */
  begin(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    parent: FirFields['parent'],
  ): CallInProgress | undefined {
    try {
      return this.#begin(fn, self, args, parent);
    } catch (error) {
      this.#leftOut.note(self, args);
      throw error;
    }
  }

  #begin(
    fn: RecordedFunction,
    self: object | undefined,
    args: readonly unknown[],
    parent: FirFields['parent'],
  ): CallInProgress | undefined {
    if (!this.#gate.isSelected(fn.name)) {
      this.#header.countDropped('filter');
      return undefined;
    }
    // No call comes after those that find no room for another one.
    if (!this.#gate.hasRoom(0)) return this.#leaveOut(fn);
    if (!this.#gate.hasRoomFor(fn.name)) return this.#leaveOut(fn, self, args);
    const startedAt = nowMicros();
    const objects = new Set<RecordedObject>();
    const encoded = encodeArguments(fn, args, this.#encoder(objects));
    const inputs = this.#files.layOutInputs(fn, encoded.tensors);
    const bytesBefore = this.#gate.bytes;
    const isWithin = this.#gate.hasRoom(inputs.newBytes);
    if (isWithin) this.#open();
    const object = self && this.objects.find(self);
    const memory = writableMemory(fn, inputs);
    if (!isWithin || this.#rotation?.admit(fn.name, inputs.newBytes) === false) {
      this.#rotation?.leaveOut(object, objects, memory);
      return this.#leaveOut(fn, self, args);
    }
    const callSequence = (this.#callSequences.get(fn.name) ?? 0) + 1;
    this.#callSequences.set(fn.name, callSequence);
    this.#sequence += 1;
    const timestamp = compactFromMicros(startedAt);
    const dumpDir = makeDumpDirectory(this.#directory, dumpNameFrom(fn.name, callSequence, timestamp));
    const dump = `${this.#directory}/${dumpDir}`;
    const selfId = fn.constructs === undefined ? object?.self_id : this.objects.reserve();
    const isObjectUnknown = self !== undefined && selfId === undefined;
    const kept = this.#rotation?.begin({
      sequence: this.#sequence,
      functionName: fn.name,
      dump: dumpDir,
      startedAt,
      parent: typeof parent === 'number' ? parent : undefined,
      self: object,
      objects,
      memory,
      lostCalls: this.#leftOut.lostBy(object, objects),
    });
    const lostCalls = kept?.lostCalls ?? this.#leftOut.lostBy(object, objects);
    const fields = startFields(fn, { isObjectUnknown, objectClass: object?.class }, encoded, inputs.keys);
    const text = this.#textOf(fn, {
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
        ...fields,
        ...(lostCalls === 0 ? {} : { dropped: { state: lostCalls } }),
      },
    });
    const metadata = this.#start(fn, dump, inputs, text, kept);
    this.#gate.addCall(fn.name);
    if (kept !== undefined) this.#rotation?.addBytes(kept, this.#gate.bytes - bytesBefore);
    const { makes } = fn;
    const maker = makes === undefined ? undefined : { makes, selfId, hasClaimed: false };
    if (maker !== undefined) this.objects.beginMaking(maker);
    return {
      sequence: this.#sequence,
      dump,
      text,
      startedAt: nowMicros(),
      selfId,
      maker,
      roles: fields.roles,
      inputs: encoded.tensors,
      checks: new ArgumentChecks(fn, encoded.tensors, inputs, dump),
      containers: new ContainerChecks(fn, args, encoded.metadata),
      metadata,
      isAsync: false,
      kept,
    };
  }

  /** The synchronous part of an async call has returned. */
  noteReturn(call: CallInProgress): void {
    call.isAsync = true;
    call.metadata.close();
    call.checks.noteReturn();
    call.containers.noteReturn(() => this.#encoder());
  }

  complete(fn: RecordedFunction, call: CallInProgress, result: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    if (call.maker !== undefined) this.objects.endMaking(call.maker);
    try {
      const made = this.#bindMade(fn, call, result);
      if (made !== undefined || fn.constructs !== undefined) this.#noteMade(fn, call, result);
      const encoder = this.#encoder();
      const outputMetadata: Record<string, JsonValue> = {};
      if (fn.kind === 'constructor') outputMetadata['result'] = null;
      else {
        const encoded = encoder.encode(result, 'result');
        if (!encoder.tensors.has('result')) outputMetadata['result'] = encoded;
      }
      this.#end(fn, call, encoder.tensors, made?.selfId, {
        status: 'completed',
        outputMetadata,
        fir: {
          duration_us: durationUs,
          ...(made === undefined ? {} : { constructs: true, self_class: made.class }),
        },
      });
    } finally {
      call.metadata.close();
    }
  }

  fail(fn: RecordedFunction, call: CallInProgress, thrown: unknown): void {
    const durationUs = Math.round(nowMicros() - call.startedAt);
    if (call.maker !== undefined) this.objects.endMaking(call.maker);
    try {
      this.#end(fn, call, new Map(), undefined, {
        status: 'failed',
        outputMetadata: {},
        fir: { duration_us: durationUs },
        error: recordedError(thrown, this.#encoder()),
      });
    } finally {
      call.metadata.close();
    }
  }

  #leaveOut(fn: RecordedFunction, self?: object, args: readonly unknown[] = []): undefined {
    this.#header.countDropped('limit', fn.name);
    this.#leftOut.note(self, args);
  }

  /** Writes the inputs, then the first record. A dump that has none would only puzzle whoever reads the session. */
  #start(
    fn: RecordedFunction,
    dump: string,
    inputs: WritableGroup,
    text: RecordText,
    kept: KeptCall | undefined,
  ): DumpLog {
    let metadata: DumpLog | undefined;
    try {
      this.#files.write(dump, inputs);
      metadata = new DumpLog(dump);
      this.#append(metadata, text.started(this.#resolutionOf(fn)), kept);
      return metadata;
    } catch (error) {
      metadata?.close();
      removeIfPossible(dump);
      if (kept !== undefined) this.#rotation?.abandon(kept);
      throw error;
    }
  }

  #end(
    fn: RecordedFunction,
    call: CallInProgress,
    results: ReadonlyMap<string, TensorSource>,
    madeSelfId: number | undefined,
    end: Omit<RecordEnd, 'outputs'>,
  ): void {
    const bytesBefore = this.#gate.bytes;
    let changed: StorageId[] | undefined;
    try {
      changed = this.#writeEnd(fn, call, results, madeSelfId, end);
    } finally {
      if (call.kept !== undefined) {
        this.#rotation?.addBytes(call.kept, this.#gate.bytes - bytesBefore);
        if (changed === undefined) this.#rotation?.breakOff(call.kept);
        else this.#rotation?.end(call.kept, end.status === 'completed' ? changed : undefined);
      }
    }
  }

  /** Gives the memory that the call changed. */
  #writeEnd(
    fn: RecordedFunction,
    call: CallInProgress,
    results: ReadonlyMap<string, TensorSource>,
    madeSelfId: number | undefined,
    end: Omit<RecordEnd, 'outputs'>,
  ): StorageId[] {
    const outputs = this.#files.layOutOutputs(call.inputs, results);
    if (outputs.newBytes > 0) this.#rotation?.makeRoom(0, outputs.newBytes);
    this.#files.write(call.dump, outputs);
    const changes = call.checks.changes(end.status === 'failed');
    const mutated = this.#files.layOutMutated(changes.sources);
    this.#files.write(call.dump, mutated);
    const containers = call.containers.changes(() => this.#encoder());
    this.#endSequence += 1;
    const fir: Partial<FirFields> = {
      ...end.fir,
      end_sequence: this.#endSequence,
      ...(call.isAsync ? { async: true } : {}),
      ...(changes.mutatedKeys === undefined ? {} : { mutated_tensor_keys: changes.mutatedKeys }),
      ...(changes.pendingKeys.length === 0 ? {} : { mutated_pending_keys: changes.pendingKeys }),
      ...(changes.goneKeys.length === 0 ? {} : { roles: withScratch(call.roles, changes.goneKeys) }),
      ...(Object.keys(containers.changed).length === 0 ? {} : { mutated_arguments: containers.changed }),
      ...(containers.pendingKeys.length === 0 ? {} : { mutated_pending_arguments: containers.pendingKeys }),
      ...statisticsOf(mutated),
      ...contentsOf(mutated),
    };
    const whole = { ...end, outputs, fir };
    const told = this.#redaction?.end(fn, whole) ?? whole;
    this.#append(call.metadata, call.text.ended(told, this.#resolutionOf(fn), madeSelfId), call.kept);
    return call.kept === undefined
      ? []
      : changedMemory(call.kept.memory, changes.mutatedKeys, changes.pendingKeys);
  }

  /** What the call made depends on what it was made from. */
  #noteMade(fn: RecordedFunction, { kept }: CallInProgress, result: unknown): void {
    const object = result !== null && typeof result === 'object' ? this.objects.find(result) : undefined;
    if (object === undefined) return;
    const rule = stateRuleOf(fn, object.class);
    if (rule === 'stateless') this.#leftOut.noteStateless(object);
    if (kept !== undefined) this.#rotation?.made(kept, result as object, object, rule);
  }

  /** Numbers the object that a constructor or factory made. Returns what the call was only now found to make. */
  #bindMade(
    fn: RecordedFunction,
    call: CallInProgress,
    result: unknown,
  ): { selfId: number; class: string } | undefined {
    if (result === null || typeof result !== 'object') return undefined;
    const made = fn.makes?.(result);
    const isClaimed = made !== undefined && this.objects.takeClaim(result);
    if (fn.constructs !== undefined) {
      if (call.selfId !== undefined) this.objects.bind(result, call.selfId, fn.constructs);
      return undefined;
    }
    const known = this.objects.find(result);
    if (made === undefined || (known !== undefined && !isClaimed)) return undefined;
    const selfId = known?.self_id ?? this.objects.reserve();
    this.objects.bind(result, selfId, made);
    return { selfId, class: made };
  }

  /** The dump's own log first: it is the truth about the call, the index only lists it. */
  #append(metadata: DumpLog, line: string, kept: KeptCall | undefined): void {
    const bytes = this.#lines.encode(line);
    metadata.append(bytes);
    this.#gate.addBytes(bytes.length);
    if (kept !== undefined) {
      this.#rotation?.append(kept, bytes);
      return;
    }
    this.#index?.append(bytes);
    this.#gate.addBytes(bytes.length);
  }

  /** `met` gets the recorded objects that are met. */
  #encoder(met?: Set<RecordedObject>): ValueEncoder {
    const objectRef = (value: object): RecordedObject | undefined => {
      const object = this.objects.find(value);
      if (object !== undefined) met?.add(object);
      return object;
    };
    return new ValueEncoder({ describeTensor, objectRef });
  }

  #versionsText(): string {
    const { versions } = this.#header.header;
    const count = Object.keys(versions).length;
    if (count !== this.#versions.count) this.#versions = { count, text: JSON.stringify(versions) };
    return this.#versions.text;
  }

  #textOf(fn: RecordedFunction, start: RecordStart): RecordText {
    return new RecordText(this.#redaction?.start(fn, start) ?? start);
  }

  #resolutionOf(fn: RecordedFunction): Resolution | undefined {
    const resolution = settledResolution(fn);
    return this.#redaction === undefined ? resolution : this.#redaction.resolution(resolution);
  }

  /** Makes the session at the first call that is recorded. */
  #open(): void {
    if (this.#isOpen) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#header.write();
    if (this.#rotation === undefined) this.#index = new AppendLog(`${this.#directory}/session.jsonl`);
    else this.#rotation.open();
    this.#isOpen = true;
  }
}

/** Of changed arguments whose values are not written, what is told in their place. */
function statisticsOf({ isRedacted, keys, layouts }: TensorGroup): Pick<FirFields, 'mutated_stats'> {
  if (!isRedacted || keys.length === 0) return {};
  return { mutated_stats: Object.fromEntries(keys.map((key) => [key, layouts[key]?.stats ?? {}])) };
}

/** A record has a place for what an argument held before the call: what it ended as is told beside it. */
function contentsOf({ blobs }: TensorGroup): Pick<FirFields, 'mutated_data'> {
  if (blobs.size === 0) return {};
  return { mutated_data: Object.fromEntries([...blobs].map(([key, sha256]) => [key, { sha256 }])) };
}

/** What a call gave away is no longer to be compared. */
function withScratch(
  roles: Readonly<Record<string, TensorRole>> | undefined,
  keys: readonly string[],
): Record<string, TensorRole> {
  return { ...roles, ...Object.fromEntries(keys.map((key) => [key, 'scratch' as const])) };
}
