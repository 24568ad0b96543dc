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

  /** Takes a place for one call of so many input bytes, or refuses it. */
  admit(inputBytes: number): boolean {
    if (this.#calls >= this.#settings.maxCount) return false;
    if (this.#bytes + inputBytes > this.#settings.maxBytes) return false;
    this.#calls += 1;
    this.#bytes += inputBytes;
    return true;
  }

  /** Outputs are always kept once their call was admitted; they count towards the next. */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }
}
