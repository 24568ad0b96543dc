import { objectFromRepr } from '../flashinfer/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { JsonValue } from '../model/json.js';
import type { CallEntry, Session } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { visitNodes } from '../values/nodes.js';
import type { ObjectMentions } from './object-mentions.js';
import { readRecord } from './read-record.js';
import { resolutionOf } from './resolution-of.js';
import type { CallFacts, ObjectName } from './types.js';

const NO_OBJECTS: ObjectName[] = [];
const NO_STORAGES: (number | string)[] = [];

export const NO_FACTS: CallFacts = {
  argumentObjects: NO_OBJECTS,
  resultObjects: NO_OBJECTS,
  keptStorages: NO_STORAGES,
  changedStorages: NO_STORAGES,
  adapter: undefined,
  startedUs: 0,
  endedUs: 0,
};

/** The facts of one call. Its record is read when one is asked for that the index and a look at the text don't tell. */
export class RecordFacts implements CallFacts {
  readonly #session: Session;
  readonly #call: CallEntry;
  readonly #mentions: ObjectMentions;
  #facts: CallFacts | undefined;

  constructor(session: Session, call: CallEntry, mentions: ObjectMentions) {
    this.#session = session;
    this.#call = call;
    this.#mentions = mentions;
  }

  get argumentObjects(): readonly ObjectName[] {
    return this.#mentions.ofObjects(this.#call) ? this.#read().argumentObjects : NO_OBJECTS;
  }
  get resultObjects(): readonly ObjectName[] {
    return this.#mentions.ofObjects(this.#call) ? this.#read().resultObjects : NO_OBJECTS;
  }
  get keptStorages(): readonly (number | string)[] {
    return this.#isFir && this.#call.constructs ? this.#read().keptStorages : NO_STORAGES;
  }
  get changedStorages(): readonly (number | string)[] {
    return this.#isFir && this.#mentions.ofChanges(this.#call) ? this.#read().changedStorages : NO_STORAGES;
  }
  get adapter(): string | undefined {
    return this.#read().adapter;
  }
  get startedUs(): number {
    return this.#isFir ? this.#read().startedUs : 0;
  }
  get endedUs(): number {
    return this.#isFir ? this.#read().endedUs : 0;
  }

  /** Another recorder names no storages and no times. */
  get #isFir(): boolean {
    return this.#call.recorder === 'fir';
  }

  #read(): CallFacts {
    this.#facts ??= readFacts(this.#session, this.#call);
    return this.#facts;
  }
}

function readFacts(session: Session, call: CallEntry): CallFacts {
  const record = readRecord(session, call);
  if (record === undefined) return NO_FACTS;
  const startedUs = microsOf(record.fir?.started_at);
  return {
    argumentObjects:
      call.recorder === 'foreign' ? describedObjects(call, record) : objectsIn(record.input_metadata),
    resultObjects: objectsIn(record.output_metadata),
    keptStorages: call.constructs ? storagesOf(record, () => true) : NO_STORAGES,
    changedStorages: storagesOf(record, (key) => mayHaveChanged(record, key)),
    adapter: libraryOf(call, resolutionOf(session, call, record)),
    startedUs,
    endedUs: endOf(record, startedUs),
  };
}

function objectsIn(metadata: Readonly<Record<string, JsonValue>>): ObjectName[] {
  let found: ObjectName[] | undefined;
  for (const value of Object.values(metadata)) {
    visitNodes(value, ({ type, self_id: selfId, class: className }) => {
      if (type !== 'js.object_ref' || typeof className !== 'string') return;
      found ??= [];
      found.push({ selfId: String(selfId), className });
    });
  }
  return found ?? NO_OBJECTS;
}

/** Objects that a foreign recorder only describes, by their class and address; a method's own is not among them. */
function describedObjects({ kind }: CallEntry, { input_metadata: metadata }: CallRecord): ObjectName[] {
  const found: ObjectName[] = [];
  for (const [key, value] of Object.entries(metadata)) {
    if (key === 'arg_0' && kind !== 'function') continue;
    visitNodes(value, ({ type, repr }) => {
      const object = typeof repr === 'string' ? objectFromRepr(repr) : undefined;
      if (object !== undefined) found.push({ selfId: String(object.selfId), className: String(type) });
    });
  }
  return found;
}

/** What knows FlashInfer's wrappers, as an adapter knows the classes of its library. */
export const FLASHINFER = 'flashinfer';

function libraryOf({ module, selfClass }: CallEntry, resolution: Resolution | undefined): string | undefined {
  if (resolution?.kind === 'adapter') return resolution.adapter;
  const isWrapper = resolution?.kind === 'python' && selfClass?.includes('Wrapper') === true;
  return isWrapper && module.startsWith('flashinfer.') ? FLASHINFER : undefined;
}

/** Memory of the arguments, but of those that are only read. */
function storagesOf(
  { fir, tensor_info: info }: CallRecord,
  isWanted: (key: string) => boolean,
): (number | string)[] {
  if (fir === undefined) return NO_STORAGES;
  const storages = new Set<number | string>();
  for (const key of info.input_tensor_keys) {
    const layout = ownField(fir.tensors, key);
    const isRead = ownField(fir.roles ?? {}, key) === 'in';
    if (layout !== undefined && !isRead && isWanted(key)) storages.add(layout.storage);
  }
  return storages.size === 0 ? NO_STORAGES : [...storages];
}

function mayHaveChanged({ fir }: CallRecord, key: string): boolean {
  const { mutated_tensor_keys: mutated, mutated_pending_keys: pending = [] } = fir ?? {};
  return mutated === undefined || mutated.includes(key) || pending.includes(key);
}

/** Two calls overlap by microseconds, which Date does not have. A recorder that wrote no times says nothing of overlaps. */
function microsOf(startedAt: string | undefined): number {
  const millis = startedAt === undefined ? Number.NaN : Date.parse(startedAt);
  if (Number.isNaN(millis)) return 0;
  const digits = /\.\d{3}(\d{3})/.exec(startedAt ?? '')?.[1] ?? '0';
  return millis * 1000 + Number(digits);
}

function endOf(record: CallRecord, startedUs: number): number {
  if (record.fir === undefined) return startedUs;
  return record.execution_status === 'inputs_saved'
    ? Number.POSITIVE_INFINITY
    : startedUs + (record.fir.duration_us ?? 0);
}
