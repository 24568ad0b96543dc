import type { StateRule } from '../adapters/contract.js';
import { ADAPTERS } from '../adapters/index.js';
import type { Language } from '../executors/index.js';
import { objectFromRepr } from '../flashinfer/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { JsonValue } from '../model/json.js';
import type { CallEntry, Session } from '../session/index.js';
import { ownField } from '../session/json-fields.js';
import { visitNodes } from '../values/nodes.js';
import { resolutionOf } from './resolution-of.js';
import type { CallFacts, ObjectName, PlanCall, PlanSource } from './types.js';

const NO_FACTS: CallFacts = {
  argumentObjects: [],
  resultObjects: [],
  keptStorages: [],
  changedStorages: [],
  adapter: undefined,
  isRunnable: false,
  startedUs: 0,
  endedUs: 0,
};

/** What decides whether, and by what, a call would be run. */
export interface PlanRules {
  languageOf(call: PlanCall): Language;
  isRunnable(call: CallEntry, record: CallRecord, resolution: Resolution | undefined): boolean;
}

/** A session as the plan sees it. Records are read once, and only of processes that have objects at all. */
export class SessionPlanSource implements PlanSource {
  readonly calls: readonly CallEntry[];
  readonly #session: Session;
  readonly #rules: PlanRules;
  readonly #stateful: Readonly<Record<string, readonly string[]>>;
  readonly #facts = new Map<number, CallFacts>();
  readonly #withObjects = new Set<string>();

  constructor(session: Session, rules: PlanRules, stateful: Readonly<Record<string, readonly string[]>>) {
    this.calls = session.calls;
    this.#session = session;
    this.#rules = rules;
    this.#stateful = stateful;
    for (const call of session.calls) if (call.selfId !== undefined) this.#withObjects.add(call.processUid);
  }

  factsOf(number: number): CallFacts {
    const call = this.calls[number - 1];
    if (call === undefined || !this.#withObjects.has(call.processUid)) return NO_FACTS;
    const known = this.#facts.get(number);
    if (known !== undefined) return known;
    const facts = this.#readFacts(call);
    this.#facts.set(number, facts);
    return facts;
  }

  languageOf(call: PlanCall): Language {
    return this.#rules.languageOf(call);
  }

  ruleOf(className: string, adapterName: string | undefined): StateRule {
    if (Object.hasOwn(this.#stateful, className)) return { latest: this.#stateful[className] ?? [] };
    if (adapterName === FLASHINFER) return FLASHINFER_RULE;
    const adapter = ADAPTERS.find(({ name }) => name === adapterName);
    return adapter?.stateRule(className) ?? 'full';
  }

  #readFacts(call: CallEntry): CallFacts {
    const record = readRecord(this.#session, call);
    if (record === undefined) return NO_FACTS;
    const resolution = resolutionOf(this.#session, call, record);
    const startedUs = microsOf(record.fir?.started_at);
    return {
      argumentObjects:
        call.recorder === 'foreign' ? describedObjects(call, record) : objectsIn(record.input_metadata),
      resultObjects: objectsIn(record.output_metadata),
      keptStorages: call.constructs ? storagesOf(record, () => true) : NO_STORAGES,
      changedStorages: storagesOf(record, (key) => mayHaveChanged(record, key)),
      adapter: libraryOf(call, resolution),
      isRunnable: this.#rules.isRunnable(call, record, resolution),
      startedUs,
      endedUs: endOf(record, startedUs),
    };
  }
}

/** Undefined where the record can't be read: the call's own turn says why. */
function readRecord(session: Session, call: CallEntry): CallRecord | undefined {
  if (call.status === 'no_record') return undefined;
  try {
    return session.readRecord(call);
  } catch {
    return undefined;
  }
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

/** FlashInfer's wrappers work from their last plan; of other classes nothing is known. */
const FLASHINFER = 'flashinfer';
const FLASHINFER_RULE: StateRule = { latest: ['plan'] };

function libraryOf({ module, selfClass }: CallEntry, resolution: Resolution | undefined): string | undefined {
  if (resolution?.kind === 'adapter') return resolution.adapter;
  const isWrapper = resolution?.kind === 'python' && selfClass?.includes('Wrapper') === true;
  return isWrapper && module.startsWith('flashinfer.') ? FLASHINFER : undefined;
}

const NO_OBJECTS: ObjectName[] = [];
const NO_STORAGES: (number | string)[] = [];

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
