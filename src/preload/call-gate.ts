import { matchesPattern } from '../core/select/index.js';
import type { RecorderSettings } from './settings.js';

/**
 * Decides which calls are recorded: include before exclude, then the limits on count and size. Where the oldest calls
 * are dropped at a limit, only a call that could never fit is left out here.
 */
export class CallGate {
  readonly #settings: RecorderSettings;
  readonly #decided = new Map<string, boolean>();
  readonly #byFunction = new Map<string, number>();
  #calls = 0;
  #bytes = 0;
  #contentBytes = 0;

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
    const { maxCount, maxBytes, onLimit } = this.#settings;
    if (onLimit === 'rotate') return maxCount >= 1 && bytes <= maxBytes;
    return this.#calls < maxCount && this.#bytes + this.#contentBytes + bytes <= maxBytes;
  }

  /** Whether another call of the function is within the limit of each function. */
  hasRoomFor(functionName: string): boolean {
    const { maxPerFunction, onLimit } = this.#settings;
    if (maxPerFunction === Number.POSITIVE_INFINITY) return true;
    return onLimit === 'rotate' ? maxPerFunction >= 1 : this.#callsOf(functionName) < maxPerFunction;
  }

  addCall(functionName: string): void {
    this.#calls += 1;
    if (this.#settings.maxPerFunction !== Number.POSITIVE_INFINITY) {
      this.#byFunction.set(functionName, this.#callsOf(functionName) + 1);
    }
  }

  /** All that was written so far, but for what stands under `blobs/`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What a call writes after it was admitted is always kept; it counts towards the next. */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Content under `blobs/` is no one call's. */
  addContentBytes(bytes: number): void {
    this.#contentBytes += bytes;
  }

  #callsOf(functionName: string): number {
    return this.#byFunction.get(functionName) ?? 0;
  }
}
