import { mkdirSync } from 'node:fs';
import type { FirFields } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import { AppendLog } from '../core/session/append-log.js';
import { ValueEncoder } from '../core/values/index.js';
import { ArgumentChecks } from './argument-checks.js';
import type { CallGate } from './call-gate.js';
import { compactFromMicros, isoFromMicros, nowMicros } from './clock.js';
import { ContainerChecks } from './container-checks.js';
import { describeTensor } from './describe-tensor.js';
import { dumpNameFrom, makeDumpDirectory, removeIfPossible } from './dump-files.js';
import { encodeArguments } from './encode-arguments.js';
import { LineBuffer } from './line-buffer.js';
import { ObjectTable } from './object-table.js';
import type { HeaderFile } from './process-header.js';
import { type RecordEnd, RecordText } from './record-text.js';
import { type CallInProgress, DumpLog } from './recorded-call.js';
import { recordedError } from './recorded-error.js';
import type { RecordedFunction } from './recorded-function.js';
import type { RecorderSettings } from './settings.js';
import { settledResolution, startFields } from './start-fields.js';
import { TensorFiles } from './tensor-files.js';
import type { TensorGroup } from './tensor-group.js';

/** Puts calls on disk: the inputs and a first record before a call runs, the rest and a last record when it ends. */
export class CallWriter {
  readonly objects = new ObjectTable();
  readonly #directory: string;
  readonly #header: HeaderFile;
  readonly #gate: CallGate;
  readonly #files: TensorFiles;
  readonly #callSequences = new Map<string, number>();
  readonly #lines = new LineBuffer();
  #index: AppendLog | undefined;
  #sequence = 0;
  #endSequence = 0;
  #versions = { count: 0, text: '{}' };

  constructor(
    { directory, tensorFormat }: Pick<RecorderSettings, 'directory' | 'tensorFormat'>,
    header: HeaderFile,
    gate: CallGate,
  ) {
    this.#directory = directory;
    this.#header = header;
    this.#gate = gate;
    this.#files = new TensorFiles(directory, header.uid, tensorFormat, gate, this.objects);
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
    if (!this.#gate.hasRoom(0)) {
      this.#header.countDropped('limit');
      return undefined;
    }
    const startedAt = nowMicros();
    const encoded = encodeArguments(fn, args, this.#encoder());
    const inputs = this.#files.layOutInputs(fn, encoded.tensors);
    if (!this.#gate.hasRoom(inputs.fileBytes)) {
      this.#header.countDropped('limit');
      return undefined;
    }
    this.#open();
    const callSequence = (this.#callSequences.get(fn.name) ?? 0) + 1;
    this.#callSequences.set(fn.name, callSequence);
    this.#sequence += 1;
    const timestamp = compactFromMicros(startedAt);
    const dumpDir = makeDumpDirectory(this.#directory, dumpNameFrom(fn.name, callSequence, timestamp));
    const dump = `${this.#directory}/${dumpDir}`;
    const object = self && this.objects.find(self);
    const selfId = fn.constructs === undefined ? object?.self_id : this.objects.reserve();
    const isObjectUnknown = self !== undefined && selfId === undefined;
    const fields = startFields(fn, { isObjectUnknown, objectClass: object?.class }, encoded, inputs.keys);
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
        ...fields,
      },
    });
    const metadata = this.#start(fn, dump, inputs, text);
    this.#gate.addCall();
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
      checks: new ArgumentChecks(fn, encoded.tensors, inputs, `${dump}/${inputs.file}`),
      containers: new ContainerChecks(fn, args, encoded.metadata),
      metadata,
      isAsync: false,
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

  /** Writes the inputs, then the first record. A dump that has none would only puzzle whoever reads the session. */
  #start(fn: RecordedFunction, dump: string, inputs: TensorGroup, text: RecordText): DumpLog {
    let metadata: DumpLog | undefined;
    try {
      this.#files.write(dump, inputs);
      metadata = new DumpLog(dump);
      this.#append(metadata, text.started(settledResolution(fn)));
      return metadata;
    } catch (error) {
      metadata?.close();
      removeIfPossible(dump);
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
    const outputs = this.#files.layOutOutputs(call.inputs, results);
    this.#files.write(call.dump, outputs);
    const changes = call.checks.changes(end.status === 'failed');
    this.#files.write(call.dump, this.#files.layOutMutated(changes.sources));
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
    };
    this.#append(call.metadata, call.text.ended({ ...end, outputs, fir }, settledResolution(fn), madeSelfId));
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
  #append(metadata: DumpLog, line: string): void {
    const bytes = this.#lines.encode(line);
    metadata.append(bytes);
    this.#index?.append(bytes);
    this.#gate.addBytes(2 * bytes.length);
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

/** What a call gave away is no longer to be compared. */
function withScratch(
  roles: Readonly<Record<string, TensorRole>> | undefined,
  keys: readonly string[],
): Record<string, TensorRole> {
  return { ...roles, ...Object.fromEntries(keys.map((key) => [key, 'scratch' as const])) };
}
