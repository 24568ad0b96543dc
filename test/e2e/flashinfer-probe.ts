// Records calls of the probe module with FlashInfer's own recorder, and replays them as a user does.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { CallResult } from '../../src/core/model/verdict.js';
import { repository, runFir } from '../support/fir.js';
import { flashinferRecorder } from '../support/flashinfer-recorder.js';
import { pythonWithTorch } from '../support/python.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';

export const SETUP_MS = 900_000;
export const TIMEOUT_MS = 120_000;

const PROBE = join(repository, 'test/fixtures/python-probe');

interface ProbeOptions {
  flags?: readonly string[];
  /** What the probe's functions do otherwise than when they were recorded. */
  changed?: string;
}

/** A folder with modules to record, and the sessions that were recorded with them. */
export class Probe {
  readonly #root: string;
  #python = '';

  constructor(root: string) {
    this.#root = root;
  }

  async setUp(): Promise<void> {
    this.#python = await pythonWithTorch();
    cpSync(await flashinferRecorder(), this.#modules, { recursive: true, dereference: true });
    cpSync(join(PROBE, 'fir_probe.py'), join(this.#modules, 'fir_probe.py'));
  }

  /** Records these steps of the program. Gives the session's directory. */
  async record(name: string, steps: readonly string[], flags: readonly string[] = []): Promise<string> {
    const command = [this.#python, join(PROBE, 'probe.py'), ...steps];
    const env = { PYTHONPATH: this.#modules, PYTHONDONTWRITEBYTECODE: '1' };
    const { code, stderr } = await runFir(
      ['capture', '--dir', join(this.#root, name), ...flags, '--', ...command],
      {
        cwd: this.#root,
        env,
      },
    );
    if (code !== 0) throw new Error(stderr);
    return join(this.#root, name);
  }

  replay(session: string, { flags = [], changed = '' }: ProbeOptions = {}): Promise<ReplayDocument> {
    return replayJson(session, this.#flags(flags), { env: { ...process.env, PROBE: changed } });
  }

  /** What a person sees. */
  async replayText(session: string, { flags = [], changed = '' }: ProbeOptions = {}): Promise<string> {
    const args = ['replay', session, ...this.#flags(flags)];
    return (await runFir(args, { env: { ...process.env, PROBE: changed } })).stdout;
  }

  #flags(flags: readonly string[]): string[] {
    const code = ['--python', this.#python, '--pythonpath', this.#modules, '--allow', 'fir_probe'];
    return flags.includes('--device') ? [...code, ...flags] : [...code, '--device', 'cpu', ...flags];
  }

  get #modules(): string {
    return join(this.#root, 'modules');
  }
}

/** `function verdict` of the calls of these functions, in order. */
export function told({ calls }: ReplayDocument, ...functions: string[]): string[] {
  return calls
    .filter((call) => functions.length === 0 || functions.includes(call.function))
    .map((call) => `${call.function} ${call.verdict}`);
}

export function callsOf({ calls }: ReplayDocument, name: string): CallResult[] {
  return calls.filter((call) => call.function === name);
}
