import { closeSync, openSync, writeSync } from 'node:fs';
import type { FirFields, RecordedError } from '../core/model/call.js';
import type { JsonValue } from '../core/model/json.js';
import type { TensorSource } from '../core/model/tensor.js';
import type { RecordText } from './record-text.js';
import type { Snapshot } from './snapshot.js';
import type { TensorGroup } from './tensor-group.js';

/** A call whose inputs are on disk and whose end is awaited. */
export interface CallInProgress {
  sequence: number;
  functionName: string;
  dump: string;
  /** Open while the call runs synchronously; a pending promise holds no descriptor. */
  metadataFd: number | undefined;
  text: RecordText;
  startedAt: number;
  inputs: ReadonlyMap<string, TensorSource>;
  inputGroup: TensorGroup;
  /** Arguments that are compared after the call; undefined where none is. */
  snapshot: Snapshot | undefined;
  /** Keys with role `out`: what they end as is an output. */
  outKeys: readonly string[];
  /** Encodings of the arguments that are containers, to see whether they end differently. */
  containers: ReadonlyMap<string, { value: unknown; text: string }>;
  /** What the synchronous part of an async call had changed. */
  changedAtReturn: ReadonlyMap<string, Uint8Array> | undefined;
  selfId: number | undefined;
  checkedAnything: boolean;
}

/** What is known when a call ends, before it is written. */
export interface CallEnd {
  status: 'completed' | 'failed';
  outputMetadata: Record<string, JsonValue>;
  outputs: ReadonlyMap<string, TensorSource>;
  fir: Partial<FirFields>;
  error?: RecordedError;
}

/** Starts the dump's own log and keeps it open for the end of the call. */
export function openMetadata(dump: string, line: string): number {
  const fd = openSync(`${dump}/metadata.jsonl`, 'ax', 0o600);
  try {
    writeLine(fd, line);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** Appends the final record; reopens the log where the call was asynchronous. */
export function closeMetadata(call: CallInProgress, line: string): void {
  const fd = call.metadataFd ?? openSync(`${call.dump}/metadata.jsonl`, 'a', 0o600);
  call.metadataFd = undefined;
  try {
    writeLine(fd, line);
  } finally {
    closeSync(fd);
  }
}

/** Lets go of the descriptor while a promise is pending: thousands may be. */
export function releaseMetadata(call: CallInProgress): void {
  if (call.metadataFd === undefined) return;
  closeSync(call.metadataFd);
  call.metadataFd = undefined;
}

function writeLine(fd: number, line: string): void {
  const bytes = Buffer.from(`${line}\n`, 'utf8');
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}
