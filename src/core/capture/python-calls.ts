import { lstatSync } from 'node:fs';
import { FirError } from '../errors.js';
import type { CallRecord } from '../model/call.js';
import type { CallEntry, Session } from '../session/index.js';
import type { PreparedDirectory } from './prepare-directory.js';
import type { PythonProcess, PythonSummary } from './types.js';

const GIB = 1024 ** 3;
/** As FlashInfer's recorder has them where no variable says otherwise. */
const DEFAULT_MAX_COUNT = 1000;
const DEFAULT_MAX_SIZE_GB = 20;

export interface PythonCalls {
  /** Calls that have a record. */
  recorded: CallEntry[];
  /** Dump directories without one. */
  withoutRecord: CallEntry[];
}

/**
 * Calls that FlashInfer's recorder added during this run. It names no run: they are those whose directories were not
 * there before. A dump without a record may be fir's own, of a thread that was killed: `nodePids` tells.
 */
export function pythonCallsOf(
  session: Session,
  before: PreparedDirectory,
  nodePids: ReadonlySet<number>,
): PythonCalls {
  const calls: PythonCalls = { recorded: [], withoutRecord: [] };
  for (const call of session.calls) {
    if (call.recorder === 'fir' || before.names.has(rootDump(call))) continue;
    if (call.status !== 'no_record') calls.recorded.push(call);
    else if (!nodePids.has(call.pid)) calls.withoutRecord.push(call);
  }
  return calls;
}

/** Sums up what Python recorded, and what the limits left out as far as FlashInfer lets one know: it marks nothing. */
export function summarisePython(
  session: Session,
  { recorded, withoutRecord }: PythonCalls,
  env: NodeJS.ProcessEnv,
): PythonSummary {
  const tallies = new Map<string, ProcessTally>();
  for (const call of recorded) {
    let tally = tallies.get(call.processUid);
    if (tally === undefined) {
      tally = new ProcessTally(call.pid);
      tallies.set(call.processUid, tally);
    }
    tally.add(session, call);
  }
  for (const call of withoutRecord) {
    for (const tally of tallies.values()) {
      if (tally.pid === call.pid) tally.noteSeen(call);
    }
  }
  const maxCount = limitFrom(env['FLASHINFER_DUMP_MAX_COUNT'], DEFAULT_MAX_COUNT);
  const maxBytes = limitFrom(env['FLASHINFER_DUMP_MAX_SIZE_GB'], DEFAULT_MAX_SIZE_GB) * GIB;
  const unfinished = recorded.filter(({ status }) => status !== 'completed' && status !== 'failed');
  return {
    keepsOldest: env['FIR_DUMP_ON_LIMIT'] === 'rotate',
    calls: recorded.length,
    processes: [...tallies.values()].map((tally) => tally.summary(maxCount, maxBytes)),
    unfinished: [...new Set(unfinished.map((call) => call.functionName))],
    withoutRecord: withoutRecord.length,
    readableByOthers: recorded.length > 0 && (lstatSync(session.root).mode & 0o077) !== 0,
    maxCount,
    maxBytes,
  };
}

/** What one process recorded, counted as FlashInfer counts it against its limits. */
class ProcessTally {
  readonly pid: number;
  #calls = 0;
  #bytes = 0;
  #largestInput = 0;
  readonly #dumps = new Set<string>();
  readonly #sequences = new Map<string, { first: number; last: number; seen: number }>();

  constructor(pid: number) {
    this.pid = pid;
  }

  add(session: Session, call: CallEntry): void {
    this.#calls += 1;
    const dump = rootDump(call);
    // Snapshots of a call recorded in a CUDA graph count once.
    if (this.#dumps.has(dump)) return;
    this.#dumps.add(dump);
    const record = recordOf(session, call);
    if (record === undefined) return;
    const { call_sequence, tensor_info } = record;
    this.#bytes += (tensor_info.input_size_bytes ?? 0) + (tensor_info.output_size_bytes ?? 0);
    this.#largestInput = Math.max(this.#largestInput, tensor_info.input_size_bytes ?? 0);
    const known = this.#sequences.get(call.functionName);
    if (known === undefined) {
      this.#sequences.set(call.functionName, { first: call_sequence, last: call_sequence, seen: 1 });
    } else {
      known.first = Math.min(known.first, call_sequence);
      known.last = Math.max(known.last, call_sequence);
      known.seen += 1;
    }
  }

  /** A call that took a number and has no record. */
  noteSeen(call: CallEntry): void {
    const known = this.#sequences.get(call.functionName);
    if (known !== undefined) known.seen += 1;
  }

  summary(maxCount: number, maxBytes: number): PythonProcess {
    // A call over the size limit takes its number all the same. A forked process goes on counting where its parent was.
    let missing = 0;
    for (const { first, last, seen } of this.#sequences.values()) {
      missing += Math.max(0, last - first + 1 - seen);
    }
    return {
      pid: this.pid,
      calls: this.#calls,
      bytes: this.#bytes,
      reachedCount: this.#dumps.size >= maxCount,
      reachedSize: missing > 0 || this.#bytes + this.#largestInput > maxBytes,
      missing,
    };
  }
}

/** The session is read while a process that outlived the program may still write to it. */
function recordOf(session: Session, call: CallEntry): CallRecord | undefined {
  try {
    return session.readRecord(call);
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}

/** Snapshots of a CUDA graph stand inside the directory of their call. */
function rootDump({ dump }: CallEntry): string {
  return dump.split('/', 1)[0] ?? dump;
}

function limitFrom(text: string | undefined, fallback: number): number {
  const number = text ? Number(text) : Number.NaN;
  return number >= 0 ? number : fallback;
}
