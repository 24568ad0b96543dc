import { matchesPattern } from '../core/select/index.js';
import type { RecorderSettings } from './settings.js';

/** Decides which calls are recorded: include before exclude, then the limits on count and size. */
export class CallGate {
  readonly #settings: RecorderSettings;
  readonly #decided = new Map<string, boolean>();
  #calls = 0;
  #bytes = 0;

  constructor(settings: RecorderSettings) {
    this.#settings = settings;
  }

  isSelected(functionName: string): boolean {
    const known = this.#decided.get(functionName);
    if (known !== undefined) return known;
    const { include, exclude } = this.#settings;
    const selected =
      (include.length === 0 || include.some((pattern) => matchesPattern(pattern, functionName))) &&
      !exclude.some((pattern) => matchesPattern(pattern, functionName));
    this.#decided.set(functionName, selected);
    return selected;
  }

  /** Whether another call of so many bytes is within the limits. */
  hasRoom(bytes: number): boolean {
    return this.#calls < this.#settings.maxCount && this.#bytes + bytes <= this.#settings.maxBytes;
  }

  addCall(): void {
    this.#calls += 1;
  }

  /** What a call writes after it was admitted is always kept; it counts towards the next. */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }
}
