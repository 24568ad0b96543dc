export interface CaptureOptions {
  command: string;
  args: readonly string[];
  /** Session directory, absolute. */
  directory: string;
  level: number;
  logDest?: string | undefined;
  include: readonly string[];
  exclude: readonly string[];
  maxSizeGb?: number | undefined;
  maxCount?: number | undefined;
  /** `./kernels.js#gemm,Attention`, relative to the working directory, or `package#export`. */
  instrument: readonly string[];
  asyncParents: boolean;
  env: NodeJS.ProcessEnv;
  /** Called when everything is checked, right before the command starts. */
  onStarted?(): void;
}

export interface CaptureSummary {
  directory: string;
  recorded: number;
  completed: number;
  failed: number;
  unfinished: number;
  skippedByLimit: number;
  skippedByFilter: number;
  /** Calls that the recorder could not record, and the first reasons. */
  notRecorded: number;
  errors: string[];
  /** Of all files of the recorded calls. */
  bytes: number;
  /** JavaScript threads that recorded. */
  processes: number;
  /** Functions that a replay can't find again: name and why. */
  notReplayable: { function: string; reason: string; hint?: string }[];
  /** Where nothing was recorded: the likely reason. */
  reason?: string;
}

export interface CaptureOutcome {
  exitCode?: number;
  signal?: NodeJS.Signals;
  summary: CaptureSummary;
}
