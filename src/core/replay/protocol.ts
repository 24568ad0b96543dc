import { deserialize, serialize } from 'node:v8';
import type { ComparisonOptions } from '../compare/index.js';
import type { ConsentOptions } from '../executors/index.js';
import type { MemberKind, Resolution } from '../model/call.js';
import type { CallResult } from '../model/verdict.js';

/** What a worker is told once. */
export interface WorkerSetup {
  type: 'setup';
  consent: ConsentOptions;
  mapPath: readonly (readonly [string, string])[];
  /** Of the inputs that are made up where recorded values were redacted. */
  seed: number;
  comparison: ComparisonOptions;
}

/** An object of the plan, with the names that the call's record has for it. */
export interface NamedObject {
  selfId: string;
  className: string;
  key: string;
}

/** `check` compares with the recording, `repeat` with the first run too, `state` only runs. */
export type RunPurpose = 'check' | 'state' | 'repeat';

export interface RunRequest {
  type: 'run';
  id: number;
  /** Its number in the session. */
  call: number;
  /** The dump's directory. */
  dump: string;
  kind: MemberKind;
  resolution: Resolution | undefined;
  purpose: RunPurpose;
  /** Where a checked call's results are kept for its repeats, which may run in another worker. */
  firstRun: string;
  /** A repeat will follow whatever the verdict is. */
  keepResults: boolean;
  self: NamedObject | undefined;
  uses: readonly NamedObject[];
  makes: readonly NamedObject[];
}

export interface DropRequest {
  type: 'drop';
  keys: readonly string[];
}

export type WorkerRequest = WorkerSetup | RunRequest | DropRequest;

/** One output that differs bit for bit between two runs. */
export interface RunDifference {
  key: string;
  elements: number;
  maxAbs: number;
}

/** What a worker says about a call that did not kill it. */
export interface RunOutcome extends Pick<CallResult, 'verdict' | 'outputs'> {
  reason?: string;
  reproduced?: boolean;
  durationUs?: number;
  error?: { name: string; message: string; stack?: string };
  notes: string[];
  /** Things that hold for the whole replay and are said once: another package version. */
  onceNotes: string[];
  /** The call was invoked, and ended as the recorded one did (returned or threw). */
  ranAsRecorded: boolean;
  /** For a repeat: where it differs from the first run. */
  differing?: RunDifference[];
}

/** Where in a call a worker is: loading code and tensors, inside the called code, or comparing. */
export type RunPhase = 'prepare' | 'invoke' | 'judge';

export type WorkerMessage =
  | { type: 'ready' }
  | { type: 'phase'; id: number; phase: RunPhase }
  | { type: 'outcome'; id: number; outcome: RunOutcome }
  | { type: 'fault'; error: { name: string; message: string; stack?: string } };

/** More than any message needs: what comes without an end is not ours. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

/**
 * One message as a line: V8's own serialisation, which keeps bigints, NaN and -0. The line begins with a newline, and
 * with the pair's own mark, since the called code may write to any descriptor.
 */
export function encodeMessage(message: WorkerRequest | WorkerMessage, mark: string): string {
  return `\n${mark} ${serialize(message).toString('base64')}\n`;
}

/** What a worker writes to its stdout and stderr after a call, so that its output is told from the next one's. */
export function endOfOutput(mark: string, id: number): string {
  return `\0${mark} ${id}\0`;
}

/** Collects a stream's bytes into messages; lines without the mark are dropped. */
export class MessageReader<Message> {
  readonly #mark: Buffer;
  readonly #onMessage: (message: Message) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(mark: string, onMessage: (message: Message) => void) {
    this.#mark = Buffer.from(`${mark} `);
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let begin = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      this.#pending.push(chunk.subarray(begin, end));
      this.#takeLine();
      begin = end + 1;
    }
    if (begin === chunk.length) return;
    this.#pending.push(chunk.subarray(begin));
    this.#pendingBytes += chunk.length - begin;
    if (this.#pendingBytes > MAX_LINE_BYTES) this.#clear();
  }

  #takeLine(): void {
    const line = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#clear();
    if (line === undefined || !line.subarray(0, this.#mark.length).equals(this.#mark)) return;
    this.#onMessage(deserialize(Buffer.from(line.toString('latin1', this.#mark.length), 'base64')));
  }

  #clear(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
