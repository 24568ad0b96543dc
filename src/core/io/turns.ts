import { setImmediate } from 'node:timers/promises';

const RUN_MS = 20;

/** Gives signals and timers their turn now and then in long synchronous work. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Throws the signal's reason where it aborts. */
  async take(): Promise<void> {
    if (performance.now() - this.#began < RUN_MS) return;
    await setImmediate();
    this.#began = performance.now();
    this.#signal?.throwIfAborted();
  }
}
