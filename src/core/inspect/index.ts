import type { CallSelection } from '../select/index.js';
import type { Session } from '../session/index.js';
import type { FileInspection, SessionInspection } from './types.js';

export type * from './types.js';

export interface InspectOptions extends CallSelection {
  /** Minimum, maximum, mean, deviation, NaN and infinity counts and a histogram of every tensor. */
  stats?: boolean;
  /** SHA-256 of every tensor's logical values. */
  hash?: boolean;
}

export function inspectSession(session: Session, options: InspectOptions = {}): SessionInspection {
  throw new Error(`being written ${session.root} ${options.stats}`);
}

export function inspectSafetensors(
  path: string,
  options: Pick<InspectOptions, 'stats' | 'hash'> = {},
): FileInspection {
  throw new Error(`being written ${path} ${options.stats}`);
}
