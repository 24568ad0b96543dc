import { packTarget, withSession } from '../pack/index.js';
import type { PackFile } from '../pack/pack-session.js';
import { RedactingRewriter } from '../redact/index.js';
import { findCalls } from '../select/index.js';
import type { Session } from '../session/index.js';
import { type ExtractOptions, type ExtractResult, extractSession } from '../store/index.js';
import { targetOf } from '../store/staging.js';
import { closureOf } from './closure.js';
import { provenanceOf } from './provenance.js';
import { treeBytes } from './tree-bytes.js';
import type { FilterOptions, FilterPlan, FilterReporter, FilterResult, NeededCall } from './types.js';

/**
 * Selects calls of a session, adds what they need to be replayed alone, and writes all of them as a new session. Where
 * nothing is selected nothing is written.
 *
 * @throws FirError NOT_FOUND, NOT_A_SESSION, UNSAFE_PATH, PACK_INVALID, USAGE, TOO_LARGE, IO_FAILED, INTERRUPTED or the
 * signal's reason; then nothing of the new session is there.
 */
export async function filterSession(
  options: FilterOptions,
  reporter: FilterReporter = {},
): Promise<FilterResult> {
  const { destination, pack } = options;
  // Said before all is read.
  if (destination !== undefined) targetOf(destination);
  if (pack !== undefined) packTarget(pack);
  return withSession(options.path, options.signal, (session) => filterOpened(session, options, reporter));
}

async function filterOpened(
  session: Session,
  options: FilterOptions,
  reporter: FilterReporter,
): Promise<FilterResult> {
  const { destination, pack, signal } = options;
  const file = pack === undefined ? undefined : await beginPack(pack, session);
  try {
    const plan = await planFilter(session, options, reporter);
    await reporter.onPlan?.(plan);
    const directory = destination ?? file?.scratch;
    if (directory === undefined || plan.selected.length === 0) {
      return { plan, bytesBefore: undefined, written: undefined, packedBytes: undefined };
    }
    const written = await write(session, plan, directory, options, reporter);
    const packedBytes = await file?.write(directory, signal);
    return { plan, bytesBefore: treeBytes(session.root), written, packedBytes };
  } finally {
    file?.discard();
  }
}

/** What packs is only loaded where something is packed. */
async function beginPack(pack: string, { realRoot }: Session): Promise<PackFile> {
  const { PackFile } = await import('../pack/pack-session.js');
  return PackFile.begin(pack, realRoot);
}

async function planFilter(
  session: Session,
  options: FilterOptions,
  reporter: FilterReporter,
): Promise<FilterPlan> {
  const { signal, withClosure, stateful } = options;
  const { calls: selected, unreadable } = await findCalls(session, options.conditions, {
    signal,
    onProgress: (done, total) => reporter.onProgress?.('looking', done, total),
  });
  const closure = closureOf(session, new Set(selected.map(({ number }) => number)), stateful);
  const needed = closure.added.flatMap(({ call, neededBy, why, reason }): NeededCall[] => {
    const entry = session.calls[call - 1];
    return entry === undefined ? [] : [{ entry, neededBy, why, reason }];
  });
  return {
    calls: session.calls.length,
    selected,
    added: withClosure ? needed : [],
    leftOut: withClosure ? [] : needed,
    deprived: withClosure ? [] : closure.deprived,
    unready: closure.unready,
    unreadable,
  };
}

function write(
  session: Session,
  plan: FilterPlan,
  destination: string,
  options: FilterOptions,
  reporter: FilterReporter,
): Promise<ExtractResult> {
  const { format, plain, redact, signal } = options;
  const extract: ExtractOptions = {
    session,
    calls: [...plan.selected, ...plan.added.map(({ entry }) => entry)].map(({ number }) => number),
    destination,
    provenance: provenanceOf(session, plan, options),
    onProgress: (done, total) => reporter.onProgress?.('writing', done, total),
  };
  if (format !== undefined) extract.format = format;
  if (plain === true) extract.plain = true;
  if (redact === true) extract.redact = new RedactingRewriter(session);
  if (signal !== undefined) extract.signal = signal;
  return extractSession(extract);
}
