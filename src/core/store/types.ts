import type { JsonObject } from '../model/json.js';
import type { Dump, Session } from '../session/index.js';

export interface ExtractOptions {
  session: Session;
  /** Numbers of the calls that the new session holds. */
  calls: readonly number[];
  /** Must not exist, or be an empty directory; appears whole or not at all. */
  destination: string;
  /** Converts tensor files; absent: as they are. Without effect on what `redact` rewrites. */
  format?: 'torch' | 'safetensors';
  /** Puts what stands in blobs/ back into the dumps' own files, for other readers. */
  plain?: boolean;
  /** Rewrites each dump without its values. */
  redact?: DumpRewriter;
  /** Kept in the new session as extracted.json: what was asked for, what was added and why. */
  provenance?: JsonObject;
  signal?: AbortSignal;
  /** Told after each call. */
  onProgress?(done: number, total: number): void;
}

export interface ExtractResult {
  calls: number;
  /** Of all files of the new session. */
  bytes: number;
  /** Files that are hard links, that share their blocks, and that were copied or written. */
  linked: number;
  cloned: number;
  copied: number;
  /** Calls whose tensor files stayed as they were although another format was asked for, and why. */
  unconverted: { call: number; reason: string }[];
}

/** Makes another version of a call's dump. */
export interface DumpRewriter {
  /**
   * Writes the dump's tensor files into `target`, an existing empty directory, and gives its records' lines, in their
   * order and without newlines: they become its metadata.jsonl, and stand for it in the index.
   */
  rewrite(dump: Dump, target: string): Promise<readonly string[]> | readonly string[];
  /** The text of a process header; as it is where absent. */
  rewriteHeader?(text: string): string;
}
