import { shellWord } from '../shell-word.js';
import type { PlanCall, PlanObject } from './types.js';

export type ObjectUser = Pick<PlanCall, 'recorder' | 'functionName'>;

/**
 * Why an object can't be made again, in words: the session has no call that makes it, or that call did not end well.
 * Undefined where it can. `user` is the call which uses it.
 */
export function whyNotMade(
  object: PlanObject,
  creator: PlanCall | undefined,
  user: ObjectUser,
): string | undefined {
  if (creator === undefined) return missingConstructor(object, user);
  if (creator.status === 'completed') return undefined;
  const ending = creator.status === 'failed' ? 'failed' : 'never finished';
  return `state incomplete: call ${creator.number} (${creator.functionName}), which makes ${object.className} object ${object.selfId}, ${ending} when it was recorded`;
}

/** Says which pattern would have kept constructor and call: FlashInfer names only wrappers' by their class. */
function missingConstructor(
  { className, selfId }: PlanObject,
  { recorder, functionName }: ObjectUser,
): string {
  const what = `its constructor was not recorded (${className} object ${selfId})`;
  if (recorder === 'fir') return `${what}; record it with --include ${shellWord(`${className}.*`)}`;
  const pattern = className.includes('Wrapper') ? `${className}.*` : `__init__,${functionName}`;
  return `${what}; record it with FLASHINFER_DUMP_INCLUDE=${shellWord(pattern)}`;
}
