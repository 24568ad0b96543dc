import type { StateRule } from '../adapters/contract.js';
import { ADAPTERS } from '../adapters/index.js';
import type { Language } from '../executors/index.js';
import type { CallRecord, Resolution } from '../model/call.js';
import type { CallEntry, Session } from '../session/index.js';
import { ObjectMentions } from './object-mentions.js';
import { readRecord } from './read-record.js';
import { FLASHINFER, NO_FACTS, RecordFacts } from './record-facts.js';
import { resolutionOf } from './resolution-of.js';
import type { CallFacts, PlanCall, PlanSource } from './types.js';

/** What decides whether, and by what, a call would be run. */
export interface PlanRules {
  languageOf(call: PlanCall): Language;
  isRunnable(call: CallEntry, record: CallRecord, resolution: Resolution | undefined): boolean;
}

/** A session as the plan sees it. Records are read only where the plan asks for what they alone can say. */
export class SessionPlanSource implements PlanSource {
  readonly calls: readonly CallEntry[];
  readonly #session: Session;
  readonly #rules: PlanRules;
  readonly #stateful: Readonly<Record<string, readonly string[]>>;
  readonly #facts = new Map<number, CallFacts>();
  readonly #withObjects = new Set<string>();
  readonly #mentions: ObjectMentions;

  constructor(session: Session, rules: PlanRules, stateful: Readonly<Record<string, readonly string[]>>) {
    this.calls = session.calls;
    this.#session = session;
    this.#rules = rules;
    this.#stateful = stateful;
    for (const call of session.calls) if (call.selfId !== undefined) this.#withObjects.add(call.processUid);
    this.#mentions = new ObjectMentions(session);
  }

  factsOf(number: number): CallFacts {
    const call = this.calls[number - 1];
    if (call === undefined || !this.#withObjects.has(call.processUid)) return NO_FACTS;
    const known = this.#facts.get(number);
    if (known !== undefined) return known;
    const facts = new RecordFacts(this.#session, call, this.#mentions);
    this.#facts.set(number, facts);
    return facts;
  }

  isRunnable(number: number): boolean {
    const call = this.calls[number - 1];
    const record = call === undefined ? undefined : readRecord(this.#session, call);
    if (call === undefined || record === undefined) return false;
    return this.#rules.isRunnable(call, record, resolutionOf(this.#session, call, record));
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
}

/** FlashInfer's wrappers work from their last plan; of other classes nothing is known. */
const FLASHINFER_RULE: StateRule = { latest: ['plan'] };
