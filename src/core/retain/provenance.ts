import { basename } from 'node:path';
import type { JsonObject } from '../model/json.js';
import type { Session } from '../session/index.js';
import { VERSION } from '../version.js';
import type { FilterOptions, FilterPlan, NeededCall } from './types.js';

/** More added calls are only counted: a long history would outgrow what was cut out. */
const MOST_ADDED = 1000;

/** What `extracted.json` of a new session tells: which session it was cut from and how, and why each added call is there. */
export function provenanceOf(session: Session, plan: FilterPlan, options: FilterOptions): JsonObject {
  const { asked, withClosure, format, plain, redact } = options;
  const { selected, added } = plan;
  return {
    format: 'fir.extracted/1',
    fir: VERSION,
    // Where it stood says too much about a machine to be handed on.
    session: basename(session.root),
    calls: session.calls.length,
    asked,
    closure: withClosure,
    ...(format === undefined ? {} : { tensorFormat: format }),
    ...(plain === true ? { plain } : {}),
    ...(redact === true ? { redacted: true } : {}),
    selected: selected.length,
    addedCount: added.length,
    added: added.slice(0, MOST_ADDED).map((needed) => addedFrom(session, needed)),
  };
}

/** By their dumps: numbers of calls are not the old ones any more. */
function addedFrom(session: Session, { entry, neededBy, why, reason }: NeededCall): JsonObject {
  return { dump: entry.dump, neededBy: session.calls[neededBy - 1]?.dump ?? null, why, reason };
}
