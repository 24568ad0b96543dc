import type { CallResult, Verdict } from '../model/verdict.js';
import type { RunDifference, RunOutcome } from './protocol.js';

/** One more run of a call from its recorded inputs. */
export type RepeatRun =
  | { kind: 'ended'; verdict: Verdict; differing: readonly RunDifference[] }
  | { kind: 'died'; how: string }
  /** The object's state could not be built again. */
  | { kind: 'impossible'; why: string };

/** Runs that a mismatch gets beside the first, to tell a wrong result from one that changes from run to run. */
const RUNS_AFTER_MISMATCH = 2;

/** How often a call is run again after its first run. */
export function repeatsFor(outcome: Pick<RunOutcome, 'verdict' | 'outputs'>, asked: number): number {
  if (outcome.verdict === 'mismatch') return Math.max(asked - 1, RUNS_AFTER_MISMATCH);
  const isComparable = outcome.verdict === 'pass' || outcome.verdict === 'unchecked';
  return isComparable && outcome.outputs.length > 0 ? asked - 1 : 0;
}

/**
 * The verdict after all runs: `unstable` where the runs disagree about a mismatch, bit for bit, or about whether the
 * call passes. Differences within the tolerance are only told.
 */
export function foldRepeats(
  first: Pick<RunOutcome, 'verdict' | 'outputs'>,
  runs: readonly RepeatRun[],
): Pick<CallResult, 'verdict' | 'reason' | 'notes' | 'repeats'> {
  const ended = runs.filter((run) => run.kind === 'ended');
  const impossible = runs.find((run) => run.kind === 'impossible');
  const died = runs.find((run) => run.kind === 'died');
  const differing = greatestOf(ended.flatMap((run) => run.differing));
  const disagreeing = ended.filter((run) => run.verdict !== first.verdict);
  const wrong = new Set(first.outputs.filter(({ verdict }) => verdict === 'mismatch').map(({ key }) => key));
  const isUnstable =
    died !== undefined || disagreeing.length > 0 || differing.some(({ key }) => wrong.has(key));
  const repeats = { runs: 1 + ended.length, differing };
  const notes = impossible === undefined ? [] : [`could not be repeated: ${impossible.why}`];
  if (!isUnstable) return { verdict: first.verdict, repeats, notes };
  const reasons = differing.map((difference) => describeDifference(difference, first));
  if (died !== undefined) reasons.push(`a repeat ${died.how}`);
  if (disagreeing.length > 0) {
    const passes = [first, ...ended].filter(({ verdict }) => verdict === 'pass').length;
    reasons.push(`${passes} of ${1 + ended.length} runs pass`);
  }
  return { verdict: 'unstable', reason: `differs from run to run: ${reasons.join('; ')}`, repeats, notes };
}

function describeDifference(
  { key, elements, maxAbs }: RunDifference,
  { outputs }: Pick<RunOutcome, 'outputs'>,
): string {
  const total = outputs.find((output) => output.key === key)?.elements;
  const count = total === undefined ? `${elements}` : `${elements} of ${total}`;
  return `${key} in ${count} elements, spread ${Number(maxAbs.toPrecision(4))}`;
}

/** The greatest difference of each output. */
function greatestOf(differences: readonly RunDifference[]): RunDifference[] {
  const byKey = new Map<string, RunDifference>();
  for (const { key, elements, maxAbs } of differences) {
    const known = byKey.get(key);
    byKey.set(key, {
      key,
      elements: Math.max(elements, known?.elements ?? 0),
      maxAbs: Math.max(maxAbs, known?.maxAbs ?? 0),
    });
  }
  return [...byKey.values()];
}
