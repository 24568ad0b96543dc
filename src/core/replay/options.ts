import type { ComparisonOptions } from '../compare/index.js';
import type { ReplayTarget } from '../executors/index.js';
import type { PresetName } from '../model/tolerance.js';
import type { CallRanges } from '../select/index.js';

export interface ReplaySelection {
  call?: CallRanges | undefined;
  include: readonly string[];
  exclude: readonly string[];
  pid: readonly number[];
}

export interface ReplayOptions {
  /** Session directory, `session.jsonl` or one dump. */
  path: string;
  /** The application's directory: consent to import its own modules, and where packages are looked up. */
  app?: string | undefined;
  /** Patterns of what else may be imported: built-ins, packages, the entry file. */
  allow: readonly string[];
  /** `auto`, `cpu`, `cuda` or `cuda:N`. JavaScript calls run on the host alone. */
  device: string;
  select: ReplaySelection;
  failFast: boolean;
  /** Of one call; by default the larger of 60 s and 20 times the recorded duration. */
  timeoutMs?: number | undefined;
  /** Runs of each call; differences between them are reported bit for bit. */
  repeat?: number | undefined;
  /** Of the inputs that are made up where recorded values were redacted; 0 by default. */
  seed?: number | undefined;
  /** Workers at one time. */
  jobs: number;
  /** Without a preset, a FlashInfer session has its own. */
  comparison: Omit<ComparisonOptions, 'preset'> & { preset?: PresetName | undefined };
  /** Pairs of a recorded path's beginning and what takes its place. */
  mapPath: readonly (readonly [string, string])[];
  /** The interpreter that runs Python calls; by default the virtual environment's, else `python3` on the PATH. */
  python?: string | undefined;
  /** Directories in which that interpreter looks for modules first. */
  pythonPath?: readonly string[] | undefined;
  /** Inputs of calls in a CUDA graph, which were read after it ran, are taken for what the calls were given. */
  trustGraphInputs?: boolean | undefined;
  /** Options of the node binary for the workers. */
  nodeOptions: readonly string[];
  /** Class to the methods of which the last call each makes an object's state. */
  stateful: Readonly<Record<string, readonly string[]>>;
  targets: readonly ReplayTarget[];
  allowIncomplete: boolean;
  /** Output of the called code is kept for calls that pass too. */
  debug: boolean;
  /** Ends the replay: workers are killed, the exit code is 130. */
  signal?: AbortSignal | undefined;
  /** The built worker; by default the one beside this module. */
  workerEntry?: string | undefined;
}
