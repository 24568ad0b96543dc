import type { CallRecord } from '../model/call.js';
import type { CallEntry, Session } from '../session/index.js';

/** Foreign processes whose first record is read for its versions. */
const MAX_FOREIGN_PROCESSES = 64;

/** Of everything that computed, from fir's process headers and the first record of each process without one. */
export function versionsOf(session: Session): Record<string, string> {
  const versions = new Map<string, Set<string>>();
  const add = (name: string, version: unknown) => {
    if (typeof version !== 'string' || version === '<unavailable>') return;
    const known = versions.get(name);
    if (known === undefined) versions.set(name, new Set([version]));
    else known.add(version);
  };
  for (const header of session.processes.values()) {
    for (const [name, version] of Object.entries(header.versions)) add(name, version);
  }
  for (const call of firstForeignCalls(session)) {
    for (const [name, version] of Object.entries(recordOf(session, call)?.versions ?? {})) {
      // Python says its compiler, too.
      add(name, name === 'python' && typeof version === 'string' ? version.split(' ', 1)[0] : version);
    }
  }
  return Object.fromEntries([...versions].map(([name, known]) => [name, [...known].join(', ')]));
}

function firstForeignCalls(session: Session): CallEntry[] {
  const first = new Map<string, CallEntry>();
  for (const call of session.calls) {
    const { processUid } = call;
    const isForeign = call.recorder === 'foreign' || !session.processes.has(processUid);
    if (!isForeign || call.status === 'no_record' || first.has(processUid)) continue;
    first.set(processUid, call);
    if (first.size === MAX_FOREIGN_PROCESSES) break;
  }
  return [...first.values()];
}

function recordOf(session: Session, call: CallEntry): CallRecord | undefined {
  try {
    return session.readRecord(call);
  } catch {
    // The call's own turn says why.
    return undefined;
  }
}
