import type { JsonObject } from '../model/json.js';
import type { Opaque } from './describe-opaque.js';
import { formatPath, type PathStep } from './format-path.js';
import { MAX_NODES, MAX_PROBLEMS, MAX_TEXT_LENGTH } from './limits.js';

/** Where one encoder is, what it has used up, and what it could not keep. */
export class EncodeState {
  readonly problems: string[] = [];
  truncated = false;
  /** Steps from the argument to the value being encoded; those past the current depth are left over. */
  readonly path: PathStep[] = [];
  /** Key of the argument being encoded. */
  root = '';
  #nodes = 0;
  #textLength = 0;
  #isOverflowReported = false;

  /** Takes a value, and the length of what is written of it, out of the budget. */
  spend(textLength: number, nodes = 1): void {
    this.#nodes += nodes;
    this.#textLength += textLength;
  }

  /** Whether `more` further values are too many; said once. */
  isOver(more: number, depth: number): boolean {
    if (this.#nodes + more <= MAX_NODES && this.#textLength <= MAX_TEXT_LENGTH) return false;
    if (!this.#isOverflowReported) this.report('too large to be kept whole', depth);
    this.#isOverflowReported = true;
    this.truncated = true;
    return true;
  }

  /** Adds a problem about the value at `depth`: `arg_0.x is <phrase>`. */
  report(phrase: string, depth: number): void {
    if (this.problems.length < MAX_PROBLEMS) {
      this.problems.push(`${formatPath(this.root, this.path.slice(0, depth))} is ${phrase}`);
    } else if (this.problems.length === MAX_PROBLEMS) {
      this.problems.push('and more that is not listed');
    }
  }

  refuse({ node, phrase }: Opaque, depth: number): JsonObject {
    this.report(phrase, depth);
    return node;
  }

  /** Stands for a value that is left out at a bound. */
  cut(type: string, length: number, phrase: string, depth: number): JsonObject {
    this.truncated = true;
    this.report(phrase, depth);
    return { type, length, truncated: true };
  }
}
