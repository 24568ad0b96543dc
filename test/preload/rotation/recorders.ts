import type { JsonValue } from '../../../src/core/model/json.js';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import { SessionPlanSource } from '../../../src/core/plan/session-plan-source.js';
import { type CallEntry, lostStateOf, openSession, type Session } from '../../../src/core/session/index.js';
import { HeaderFile } from '../../../src/preload/process-header.js';
import { Recorder } from '../../../src/preload/recorder-core.js';
import { settingsFrom } from '../../../src/preload/settings.js';

export interface Limits {
  maxCount?: number;
  maxBytes?: number;
  maxPerFunction?: number;
  isStopping?: boolean;
}

/** A recorder of this process that writes to a directory. `warnings` gets what it logs. */
export function recorderFor(
  directory: string,
  { maxCount, maxBytes, maxPerFunction, isStopping = false }: Limits,
  warnings: string[] = [],
): { recorder: Recorder; header: HeaderFile } {
  const settings = settingsFrom({
    FIR_LOGLEVEL: '10',
    FIR_DUMP_DIR: directory,
    FIR_DUMP_ON_LIMIT: isStopping ? 'stop' : 'rotate',
    FIR_DUMP_MAX_COUNT: String(maxCount ?? 100_000),
    FIR_DUMP_MAX_SIZE_GB: String((maxBytes ?? 1e12) / 1024 ** 3),
    ...(maxPerFunction === undefined ? {} : { FIR_DUMP_MAX_PER_FUNCTION: String(maxPerFunction) }),
  });
  const header = new HeaderFile(settings, undefined, '0.0.0');
  const log = {
    call: (): void => undefined,
    result: (): void => undefined,
    warn: (message: string): void => {
      warnings.push(message);
    },
  };
  return { recorder: new Recorder(settings, header, () => log), header };
}

/** The calls of a session by the number that each has as its first argument. */
export interface NumberedSession {
  session: Session;
  byNumber: ReadonlyMap<number, CallEntry>;
  numberOf(call: number): number;
  /** Calls whose record says that calls of their objects' state are gone. */
  lost: ReadonlySet<number>;
  /** Calls that can't be replayed for another reason: their object's constructor was not recorded. */
  refused: ReadonlySet<number>;
}

export function readNumbered(directory: string): NumberedSession {
  const session = openSession(directory);
  const byNumber = new Map<number, CallEntry>();
  const numbers = new Map<number, number>();
  const lost = new Set<number>();
  const refused = new Set<number>();
  for (const entry of session.calls) {
    if (entry.status === 'no_record') continue;
    const record = session.readRecord(entry);
    const number = numberFrom(record.input_metadata['arg_0']);
    byNumber.set(number, entry);
    numbers.set(entry.number, number);
    if (lostStateOf(record) !== undefined) lost.add(number);
    if (record.fir?.not_replayable !== undefined) refused.add(number);
  }
  return { session, byNumber, numberOf: (call) => numbers.get(call) ?? 0, lost, refused };
}

function numberFrom(value: JsonValue | undefined): number {
  if (typeof value !== 'number') throw new Error('a call has no number');
  return value;
}

/** What a replay of each call of a session runs for it, itself included, by the numbers of `readNumbered`. */
export function needsIn({ session, byNumber, numberOf }: NumberedSession): Map<number, Set<number>> {
  const rules = { languageOf: () => 'javascript' as const, isRunnable: () => true };
  const needs = new Map<number, Set<number>>();
  for (const [number, { number: call }] of byNumber) {
    const plan = new ReplayPlan(new SessionPlanSource(session, rules, {}), new Set([call]));
    needs.set(number, new Set(plan.lanes.flatMap(({ steps }) => steps.map((step) => numberOf(step.call)))));
  }
  return needs;
}
