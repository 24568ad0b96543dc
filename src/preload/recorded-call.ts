import { closeSync, openSync, writeSync } from 'node:fs';
import type { TensorRole, TensorSource } from '../core/model/tensor.js';
import type { ArgumentChecks } from './argument-checks.js';
import type { ContainerChecks } from './container-checks.js';
import type { Maker } from './object-table.js';
import type { RecordText } from './record-text.js';
import type { KeptCall } from './rotation/kept-call.js';

/** A call whose inputs are on disk and whose end is awaited. */
export interface CallInProgress {
  sequence: number;
  dump: string;
  text: RecordText;
  /** Microseconds since the epoch, when the program's own code began. */
  startedAt: number;
  selfId: number | undefined;
  maker: Maker | undefined;
  /** As the first record has them. */
  roles: Readonly<Record<string, TensorRole>> | undefined;
  inputs: ReadonlyMap<string, TensorSource>;
  checks: ArgumentChecks;
  containers: ContainerChecks;
  metadata: DumpLog;
  isAsync: boolean;
  /** Where the oldest calls are dropped at a limit. */
  kept: KeptCall | undefined;
}

/** A dump's `metadata.jsonl`: open while the call runs, closed while a promise is pending, since thousands may be. */
export class DumpLog {
  readonly #path: string;
  #fd: number | undefined;

  constructor(dump: string) {
    this.#path = `${dump}/metadata.jsonl`;
    this.#fd = openSync(this.#path, 'ax', 0o600);
  }

  append(bytes: Uint8Array): void {
    this.#fd ??= openSync(this.#path, 'a', 0o600);
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}
