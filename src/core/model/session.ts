import type { Resolution } from './call.js';
import type { JsonObject } from './json.js';

/** `processes/<process_uid>.json`: one header for a JavaScript thread that recorded. */
export interface ProcessHeader {
  format: 'fir.process/1';
  process_uid: string;
  pid: number;
  thread_id: number;
  /** Names the `fir capture` run that started the program. */
  capture?: string;
  started_at: string;
  ended_at?: string;
  host: { platform: string; arch: string; release: string; cpu: string; memoryBytes: number };
  argv: string[];
  execArgv: string[];
  /** The user's own NODE_OPTIONS. Provenance: replay prints them as a hint and never follows them. */
  node_options?: string;
  cwd: string;
  /** Allow-listed variables only. */
  env: Record<string, string>;
  versions: Record<string, string>;
  gpus: JsonObject[];
  /** Packages and files that were hooked: `onnxruntime-node@1.30.0`. */
  hooked: string[];
  /** Function name to how replay finds it, for functions found only after their first call. */
  functions: Record<string, Resolution>;
  dropped: DroppedCalls;
  /** First message of each kind of recorder error, with how often it happened. */
  errors: { message: string; count: number }[];
}

/** Calls that are not in the session, and why. */
export interface DroppedCalls {
  limit: number;
  filter: number;
  error: number;
  /** Recorded, and dropped for newer ones at a limit. */
  rotated?: number;
  /** Of those that a limit left out or dropped, how many were of each function. */
  functions?: Record<string, number>;
  /** By class, objects whose later calls can't be replayed, since calls that made their state were dropped. */
  states?: Record<string, number>;
}

/** A line or file that could not be read, and why; `offset` is in bytes. */
export interface Unreadable {
  file: string;
  offset: number;
  reason: string;
}
