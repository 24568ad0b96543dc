import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { ProcessHeader } from '../model/session.js';
import { openSession, type Session } from '../session/index.js';
import { readProcessHeaders } from '../session/process-headers.js';
import { UnreadableList } from '../session/unreadable-list.js';
import { reasonForNothing } from './nothing-recorded.js';
import type { PreparedDirectory } from './prepare-directory.js';
import { pythonCallsOf, summarisePython } from './python-calls.js';
import type { CaptureOptions, CaptureSummary } from './types.js';

interface CaptureRun {
  captureId: string;
  /** The program's environment. */
  env: NodeJS.ProcessEnv;
  before: PreparedDirectory;
}

/** What one run of `fir capture` left in its session, read from the session itself. */
export function summariseCapture(options: CaptureOptions, run: CaptureRun): CaptureSummary {
  const { directory } = options;
  const summary: CaptureSummary = {
    directory,
    recorded: 0,
    completed: 0,
    failed: 0,
    unfinished: 0,
    skippedByLimit: 0,
    rotated: 0,
    overLimit: [],
    lostStates: [],
    skippedByFilter: 0,
    notRecorded: 0,
    errors: [],
    bytes: 0,
    processes: 0,
    notReplayable: [],
    ...(options.maxPerFunction === undefined ? {} : { maxPerFunction: options.maxPerFunction }),
  };
  const session = openIfThere(directory);
  const processes = session?.processes ?? headersIn(directory);
  const headers = [...processes.values()].filter((header) => header.capture === run.captureId);
  addHeaders(summary, headers);
  const uids = new Set(headers.map((header) => header.process_uid));
  const python = session && pythonCallsOf(session, run.before, new Set(headers.map(({ pid }) => pid)));
  const ofNode = session?.calls.filter((call) => uids.has(call.processUid)) ?? [];
  for (const call of [...ofNode, ...(python?.recorded ?? [])]) {
    summary.recorded += 1;
    if (call.status === 'completed') summary.completed += 1;
    else if (call.status === 'failed') summary.failed += 1;
    else summary.unfinished += 1;
    summary.bytes += directoryBytes(join(directory, call.dump));
  }
  summary.processes = new Set(ofNode.map((call) => call.processUid)).size;
  if (
    session !== undefined &&
    python !== undefined &&
    python.recorded.length + python.withoutRecord.length > 0
  ) {
    summary.python = summarisePython(session, python, run.env);
  }
  if (summary.recorded > 0) return summary;
  const started = { command: options.command, env: run.env };
  return { ...summary, reason: reasonForNothing(summary, headers, started) };
}

function openIfThere(directory: string): Session | undefined {
  try {
    return openSession(directory);
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}

/** Processes that hooked something and recorded no call leave their headers and no session. */
function headersIn(directory: string): ReadonlyMap<string, ProcessHeader> {
  return existsSync(directory)
    ? readProcessHeaders(directory, realpathSync(directory), new UnreadableList())
    : new Map();
}

function addHeaders(summary: CaptureSummary, headers: readonly ProcessHeader[]): void {
  const overLimit = new Map<string, number>();
  const lostStates = new Map<string, number>();
  const named = new Set<string>();
  for (const header of headers) {
    summary.skippedByLimit += header.dropped.limit;
    summary.rotated += header.dropped.rotated ?? 0;
    addCounts(overLimit, header.dropped.functions);
    addCounts(lostStates, header.dropped.states);
    summary.skippedByFilter += header.dropped.filter;
    summary.notRecorded += header.dropped.error;
    summary.errors.push(...header.errors.map(({ message }) => message));
    for (const [name, resolution] of Object.entries(header.functions)) {
      if (resolution.kind !== 'unresolved' || named.has(name)) continue;
      named.add(name);
      const { reason, hint } = resolution;
      summary.notReplayable.push({ function: name, reason, ...(hint === undefined ? {} : { hint }) });
    }
  }
  summary.overLimit = mostFirst(overLimit).map(([name, calls]) => ({ function: name, calls }));
  summary.lostStates = mostFirst(lostStates).map(([name, objects]) => ({ class: name, objects }));
}

function addCounts(sums: Map<string, number>, counts: Readonly<Record<string, number>> = {}): void {
  for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
}

function mostFirst(sums: ReadonlyMap<string, number>): [string, number][] {
  return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function directoryBytes(path: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(path, entry.name)).size;
    }
  } catch {
    // Removed meanwhile: it takes no space.
  }
  return bytes;
}
