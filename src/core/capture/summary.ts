import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { ProcessHeader } from '../model/session.js';
import { openSession, type Session } from '../session/index.js';
import { readProcessHeaders } from '../session/process-headers.js';
import { UnreadableList } from '../session/unreadable-list.js';
import type { CaptureSummary } from './types.js';

const NOTHING_SEEN =
  'no Node process of the program loaded a library that fir knows (onnxruntime-node, onnxruntime-web) or used ' +
  'recordable() from fir-recorder. A runtime bundled into the program’s own file can’t be seen from outside, and ' +
  'a child started with an environment without this NODE_OPTIONS is not followed. ' +
  "Record functions of your own with --instrument './file.js#name'";

/** What one run of `fir capture` left in its session, read from the session itself. */
export function summariseCapture(directory: string, captureId: string): CaptureSummary {
  const summary: CaptureSummary = {
    directory,
    recorded: 0,
    completed: 0,
    failed: 0,
    unfinished: 0,
    skippedByLimit: 0,
    skippedByFilter: 0,
    notRecorded: 0,
    errors: [],
    bytes: 0,
    processes: 0,
    notReplayable: [],
  };
  const session = openIfThere(directory);
  const processes = session?.processes ?? headersIn(directory);
  const headers = [...processes.values()].filter((header) => header.capture === captureId);
  addHeaders(summary, headers);
  const uids = new Set(headers.map((header) => header.process_uid));
  const recording = new Set<string>();
  for (const call of session?.calls ?? []) {
    if (!uids.has(call.processUid)) continue;
    recording.add(call.processUid);
    summary.recorded += 1;
    if (call.status === 'completed') summary.completed += 1;
    else if (call.status === 'failed') summary.failed += 1;
    else summary.unfinished += 1;
    summary.bytes += directoryBytes(join(directory, call.dump));
  }
  summary.processes = recording.size;
  return summary.recorded > 0 ? summary : { ...summary, reason: reasonFor(summary, headers) };
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
  const named = new Set<string>();
  for (const header of headers) {
    summary.skippedByLimit += header.dropped.limit;
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
}

function reasonFor(summary: CaptureSummary, headers: readonly ProcessHeader[]): string {
  if (summary.skippedByFilter > 0) return 'every call was left out by --include or --exclude';
  if (summary.skippedByLimit > 0) return 'every call was over --max-count or --max-size';
  if (summary.notRecorded > 0) return `the recorder failed: ${summary.errors[0] ?? 'unknown error'}`;
  const known = headers.flatMap((header) => [...header.hooked, ...Object.keys(header.functions)]);
  return known.length === 0 ? NOTHING_SEEN : `${known.join(', ')} was hooked, but nothing of it was called`;
}

function directoryBytes(path: string): number {
  let bytes = 0;
  try {
    for (const name of readdirSync(path)) bytes += statSync(join(path, name)).size;
  } catch {
    // Removed meanwhile: it takes no space.
  }
  return bytes;
}
