import type { CallRecord } from '../model/call.js';
import { countFrom } from './json-fields.js';

/** What of the state of a call's objects is gone because the session was at its limit, in words. */
export function lostStateOf({ fir }: CallRecord): string | undefined {
  const calls = countFrom(fir?.dropped?.['state']) ?? 0;
  if (calls === 0) return undefined;
  return `${calls} earlier ${calls === 1 ? 'call on the object was' : 'calls on the object were'} dropped at the limit`;
}
