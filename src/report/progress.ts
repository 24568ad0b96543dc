import type { Ora } from 'ora';
import type { ProgressView } from './pretty.js';

/** What a replay shows while it runs; undefined where there is no terminal. */
export async function loadProgress(): Promise<ProgressView | undefined> {
  const spinner = await loadSpinner();
  return spinner === undefined ? undefined : new SpinnerProgress(spinner);
}

/** How far some work is, in a line that comes and goes; undefined where there is no terminal. */
export async function loadSteps(): Promise<StepsView | undefined> {
  const spinner = await loadSpinner();
  return spinner === undefined ? undefined : new SpinnerSteps(spinner);
}

/** Shows `text` until it is hidden. */
export interface StepsView {
  show(text: string): void;
  hide(): void;
}

/**
 * A spinner on stderr, for terminals only; elsewhere undefined, and ora is never loaded. On a terminal that says it
 * has no columns ora would clear lines without end.
 */
async function loadSpinner(): Promise<Ora | undefined> {
  const isTerminal = process.stderr.isTTY === true && process.stderr.columns > 0;
  if (!isTerminal || process.env['TERM'] === 'dumb' || process.env['CI']) return undefined;
  const { default: ora } = await import('ora');
  // The user's Ctrl-C is ours to handle, and what is typed meanwhile is the shell's.
  return ora({ stream: process.stderr, discardStdin: false, hideCursor: true });
}

class SpinnerSteps implements StepsView {
  readonly #spinner: Ora;

  constructor(spinner: Ora) {
    this.#spinner = spinner;
  }

  show(text: string): void {
    this.#spinner.text = text;
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  hide(): void {
    if (this.#spinner.isSpinning) this.#spinner.stop();
  }
}

class SpinnerProgress implements ProgressView {
  readonly #spinner: Ora;
  #calls = 0;
  #done = 0;

  constructor(spinner: Ora) {
    this.#spinner = spinner;
  }

  begin(calls: number): void {
    this.#calls = calls;
  }

  running(call: number, functionName: string): void {
    this.#spinner.text = `${this.#done} of ${this.#calls} done, running call ${call} ${functionName}`;
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  advance(): void {
    this.#done += 1;
  }

  hide(): void {
    if (this.#spinner.isSpinning) this.#spinner.stop();
  }

  end(): void {
    this.hide();
  }
}
