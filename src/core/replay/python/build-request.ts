import { byteLengthOf } from '../../dtype/index.js';
import { FirError } from '../../errors.js';
import type { CodePlace } from '../../executors/index.js';
import type { MemberKind } from '../../model/call.js';
import type { Dump, StoredTensor } from '../../session/index.js';
import { objectFrom, stringFrom } from '../../session/json-fields.js';
import type { Tensor } from '../../tensor/index.js';
import { drawnFor } from '../drawn/drawn-tensor.js';
import type { RunRequest } from '../protocol.js';
import { argumentKeys } from '../recorded-values.js';
import { RehydratedInputs } from '../rehydrate.js';
import { StorageRegistry } from '../storage-registry.js';
import { deviceArguments } from './device-arguments.js';
import type { DeviceMap } from './device-map.js';
import { INLINE_BYTES, type PythonRun, type WireStorage, type WireTensor } from './protocol.js';
import type { SharedFiles } from './shared-files.js';

export interface RequestContext {
  devices: DeviceMap;
  files: SharedFiles;
  place: CodePlace;
  /** Of the inputs that are made up where recorded values were redacted. */
  seed: number;
}

/** A request as it goes over the pipe. */
export interface BuiltRequest {
  run: Omit<PythonRun, 'type' | 'id'>;
  payload: Buffer[];
  /** Files that are of no use once the call has ended. */
  files: string[];
  notes: string[];
  /** Where recorded devices went. */
  onceNotes: string[];
}

/** Puts a recorded call together for the Python worker. FirError TENSOR_*, TORCH_INVALID, TOO_LARGE, IO_FAILED. */
export function buildRequest(
  request: Omit<RunRequest, 'type' | 'id'>,
  dump: Dump,
  context: RequestContext,
): BuiltRequest {
  const { record } = dump;
  const { positional, named } = argumentKeys(dump);
  const memory = new RequestMemory(context);
  const text = Buffer.from(dump.recordText);
  const recordBegin = memory.add(text);
  memory.addInputs(dump);
  const moved = deviceArguments(record.input_metadata, context.devices);
  for (const device of moved.keys()) memory.noteDevice(device);
  return {
    run: {
      purpose: request.purpose,
      function: record.function_name,
      module: record.module,
      signature: record.function_signature ?? '',
      kind: request.kind === 'constructor' || request.kind === 'method' ? request.kind : 'function',
      class: classOf(dump, request.kind),
      target: targetOf(context.place),
      positional,
      named: named.map((key) => [key, key.slice('kwarg_'.length)]),
      self: request.self?.key ?? null,
      uses: request.uses.map(({ selfId, className, key }) => ({ self_id: selfId, class: className, key })),
      makes: request.makes.map(({ key }) => key),
      tensors: memory.tensors,
      storages: memory.storages,
      devices: Object.fromEntries(moved),
      record: [recordBegin, recordBegin + text.length],
    },
    payload: memory.payload,
    files: memory.files,
    notes: memory.notes,
    onceNotes: memory.onceNotes,
  };
}

function targetOf(place: CodePlace): PythonRun['target'] {
  return place.kind === 'target' ? { file: place.path, export: place.export } : null;
}

/** The class of a method's object, as its `repr` names it; of one with a `repr` of its own, as the call's name has it. */
function classOf({ record }: Dump, kind: MemberKind): PythonRun['class'] {
  if (kind !== 'constructor' && kind !== 'method') return null;
  const repr = stringFrom(objectFrom(record.input_metadata['arg_0'])?.['repr']) ?? '';
  const match = /^<([^\s<>]+) object at 0x[0-9a-f]+>$/i.exec(repr);
  const dot = record.function_name.lastIndexOf('.');
  const type = stringFrom(objectFrom(record.input_metadata['arg_0'])?.['type']);
  const name = dot > 0 ? record.function_name.slice(0, dot) : type;
  if (match?.[1] === undefined) return name === undefined ? null : { module: record.module, qualname: name };
  return splitClass(match[1], type ?? name ?? '', record.module);
}

/** `package.module.Outer.Inner`, of which `Inner` is the class: what is in front of the class is a module or a class. */
function splitClass(path: string, type: string, module: string): PythonRun['class'] {
  if (path.startsWith(`${module}.`)) return { module, qualname: path.slice(module.length + 1) };
  const qualname = path.endsWith(`.${type}`) ? type : path.slice(path.lastIndexOf('.') + 1);
  return { module: path.slice(0, -qualname.length - 1), qualname };
}

/** The memory of a call's arguments: small storages one after the other in the payload, large ones in files. */
class RequestMemory {
  readonly tensors: WireTensor[] = [];
  readonly storages: WireStorage[] = [];
  readonly payload: Buffer[] = [];
  readonly files: string[] = [];
  readonly notes: string[] = [];
  readonly onceNotes: string[] = [];
  readonly #context: RequestContext;
  readonly #byPlace = new Map<string, number>();
  #payloadBytes = 0;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** Adds bytes to the payload. Returns where they begin. */
  add(bytes: Buffer): number {
    const begin = this.#payloadBytes;
    this.payload.push(bytes);
    this.#payloadBytes += bytes.length;
    return begin;
  }

  addInputs(dump: Dump): void {
    const rebuilt: string[] = [];
    for (const key of dump.keys('inputs')) {
      const stored = readable(dump, key, this.#context.seed);
      const range = stored.fileRange();
      if (range === undefined || range.storageBegin % 16 !== 0) rebuilt.push(key);
      else this.#addFileRange(stored, range);
    }
    if (rebuilt.length > 0) this.#addRebuilt(dump, rebuilt);
  }

  /** What stands in a file as it was in memory is passed on as it is. */
  #addFileRange(stored: StoredTensor, range: NonNullable<ReturnType<StoredTensor['fileRange']>>): void {
    const { path, begin, end, storageBegin } = range;
    const place = `${path}:${begin}`;
    let storage = this.#byPlace.get(place);
    if (storage === undefined) {
      const bytes = end - begin;
      const content = bytes <= INLINE_BYTES ? stored.fileBytes() : undefined;
      storage = this.#addStorage(
        content === undefined
          ? { bytes, file: path, offset: begin }
          : { bytes, inline: this.add(Buffer.from(content.buffer, content.byteOffset, bytes)) },
      );
      this.#byPlace.set(place, storage);
    }
    const skipped = storageBegin / byteLengthOf(stored.dtype, 1);
    this.#addTensor(stored, stored.shape.includes(0) ? 0 : stored.offset - skipped, storage);
  }

  /** What was saved in another layout than it had is laid out again here. */
  #addRebuilt(dump: Dump, keys: readonly string[]): void {
    const found = new Map<string, Tensor>();
    const inputs = new RehydratedInputs(
      dump,
      new StorageRegistry(),
      (stored, tensor) => {
        if (tensor !== undefined) found.set(stored.key, tensor);
        return tensor;
      },
      { keys, seed: this.#context.seed },
    );
    const storages = new Map<object, number>();
    for (const key of keys) {
      inputs.host(key);
      const tensor = found.get(inputs.originalOf(key));
      if (tensor === undefined) throw new FirError('TENSOR_UNSUPPORTED', `${key} is a tensor of strings`);
      const { bytes } = tensor.storage;
      let storage = storages.get(tensor.storage);
      if (storage === undefined) {
        storage = this.#addBytes(bytes);
        storages.set(tensor.storage, storage);
      }
      const stored = dump.tensor('inputs', key);
      this.#addTensor({ ...stored, key, stride: [...tensor.stride] }, tensor.offset, storage);
    }
    this.notes.push(...inputs.notes);
  }

  #addBytes(bytes: Uint8Array): number {
    if (bytes.length <= INLINE_BYTES)
      return this.#addStorage({ bytes: bytes.length, inline: this.add(Buffer.from(bytes)) });
    const file = this.#context.files.write(bytes);
    this.files.push(file);
    return this.#addStorage({ bytes: bytes.length, file, offset: 0 });
  }

  #addStorage(storage: WireStorage): number {
    this.storages.push(storage);
    return this.storages.length - 1;
  }

  #addTensor(
    stored: Pick<
      StoredTensor,
      'key' | 'dtype' | 'shape' | 'stride' | 'device' | 'parameter' | 'requiresGrad'
    >,
    offset: number,
    storage: number,
  ): void {
    const { key, dtype, shape, stride, device } = stored;
    const { devices } = this.#context;
    this.tensors.push({
      key,
      dtype,
      shape,
      stride,
      offset,
      storage,
      device: devices.placeOf(device),
      parameter: stored.parameter === true,
      requires_grad: stored.requiresGrad === true,
    });
    this.noteDevice(device);
  }

  noteDevice(recorded: string): void {
    const note = this.#context.devices.noteOn(recorded);
    if (note !== undefined && !this.onceNotes.includes(note)) this.onceNotes.push(note);
  }
}

/** A tensor of a kind that fir does not know is no tensor of the call's: nothing can be put in its place. */
function readable(dump: Dump, key: string, seed: number): StoredTensor {
  try {
    const stored = drawnFor(dump.tensor('inputs', key), dump.record, seed);
    stored.verify({ values: true });
    return stored;
  } catch (error) {
    if (!(error instanceof FirError) || error.code !== 'TENSOR_UNSUPPORTED') throw error;
    throw new FirError('NOT_REPLAYABLE', `${key}: ${error.message}`, { where: error.where, cause: error });
  }
}
