export interface CaptureOptions {
  command: string;
  args: readonly string[];
  /** Session directory, absolute. */
  directory: string;
  level: number;
  /** The level was said by a flag or FIR_LOGLEVEL, and is no default. */
  levelSaid: boolean;
  /** Format of tensor files, where it was said and is no default. */
  formatSaid?: 'safetensors' | 'torch' | undefined;
  logDest?: string | undefined;
  include: readonly string[];
  exclude: readonly string[];
  maxSizeGb?: number | undefined;
  maxCount?: number | undefined;
  /** Calls of each function of a process. */
  maxPerFunction?: number | undefined;
  /** At a limit no more is recorded, or the oldest calls go. */
  onLimit: 'stop' | 'rotate';
  /** `./kernels.js#gemm,Attention`, relative to the working directory, or `package#export`. */
  instrument: readonly string[];
  asyncParents: boolean;
  /** Contents that come again are stored once. */
  dedupe: boolean;
  /** Values and texts are left out of what is recorded. */
  redact: boolean;
  env: NodeJS.ProcessEnv;
  /** Called when everything is checked, right before the command starts; with the level at which FlashInfer will run. */
  onStarted?(pythonLevel: string): void;
}

export interface CaptureSummary {
  directory: string;
  recorded: number;
  completed: number;
  failed: number;
  unfinished: number;
  skippedByLimit: number;
  /** Where the calls of each function were limited. */
  maxPerFunction?: number;
  /** Calls that were recorded, and dropped for newer ones. */
  rotated: number;
  /** Of the calls that a limit left out or dropped, how many were of each function: the most first. */
  overLimit: { function: string; calls: number }[];
  /** By class, objects whose later calls can't be replayed, since calls that made their state were dropped. */
  lostStates: { class: string; objects: number }[];
  skippedByFilter: number;
  /** Calls that the recorder could not record, and the first reasons. */
  notRecorded: number;
  errors: string[];
  /** Of all files of the recorded calls. */
  bytes: number;
  /** JavaScript threads that recorded. */
  processes: number;
  /** What FlashInfer's recorder added in Python processes; its calls are in the counts above. */
  python?: PythonSummary;
  /** Functions that a replay can't find again: name and why. */
  notReplayable: { function: string; reason: string; hint?: string }[];
  /** Where nothing was recorded: the likely reason. */
  reason?: string;
}

export interface PythonSummary {
  /** The oldest calls were to be dropped at a limit, which FlashInfer's recorder can't do. */
  keepsOldest: boolean;
  /** Snapshots of CUDA graphs counted one by one. */
  calls: number;
  processes: PythonProcess[];
  /** Functions with calls that never finished. */
  unfinished: string[];
  /** Dump directories in which FlashInfer's recorder left no record. */
  withoutRecord: number;
  /** The session directory was there already, and others may read what FlashInfer wrote into it. */
  readableByOthers: boolean;
  maxCount: number;
  maxBytes: number;
}

export interface PythonProcess {
  pid: number;
  calls: number;
  /** Of the tensors' elements, as FlashInfer counts them against its limit. */
  bytes: number;
  /** Whether later calls, if there were any, are not in the session. */
  reachedCount: boolean;
  reachedSize: boolean;
  /** Calls known to have been left out, by gaps in their numbers: at least so many. */
  missing: number;
}

export interface CaptureOutcome {
  exitCode?: number;
  signal?: NodeJS.Signals;
  summary: CaptureSummary;
}
