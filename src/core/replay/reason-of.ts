import type { FirError } from '../errors.js';

/** An error as the reason of a verdict: what is wrong, where, and what can be done. */
export function reasonOf({ message, where, hint }: FirError): string {
  return `${message}${where === undefined ? '' : ` (${where})`}${hint === undefined ? '' : `; ${hint}`}`;
}
