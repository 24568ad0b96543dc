import type { DtypeName } from './dtype.js';
import type { JsonValue } from './json.js';
import type { Tolerance } from './tolerance.js';

export const VERDICTS = [
  'pass',
  'ran',
  'mismatch',
  'error',
  'crashed',
  'timeout',
  'unstable',
  'unchecked',
  'skipped',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Note on the comparison of an argument's end state: worth showing where it differs. */
export const END_STATE_NOTE = 'argument after the call';

/** One extreme difference: where it is and the two values there. */
export interface Extreme {
  value: number;
  index: number[];
  actual: JsonValue;
  expected: JsonValue;
}

/** The comparison of one output: a tensor, or a value (scalar, string, structure). */
export interface OutputComparison {
  key: string;
  kind: 'tensor' | 'value';
  verdict: 'pass' | 'mismatch';
  /** Why, in words, where numbers don't say it: `dtype differs: float32, recorded float16`. */
  reason?: string;
  /** Things worth saying that fail nothing: a stride that differs, aliasing lost. */
  notes?: string[];
  dtype?: DtypeName;
  shape?: number[];
  elements?: number;
  mismatched?: number;
  /** Counted over both sides: elements where either is NaN, and where either is infinite. */
  nan?: number;
  inf?: number;
  maxAbs?: Extreme;
  maxRel?: Extreme;
  rmse?: number;
  cosine?: number;
  maxUlp?: number;
  tolerance?: Tolerance;
  /** For values: both, as encoded. */
  actual?: JsonValue;
  expected?: JsonValue;
}

export interface CallResult {
  call: number;
  dump: string;
  function: string;
  pid: number;
  verdict: Verdict;
  reason?: string;
  /** A recorded failure failed again the same way, or a call that crashed crashed again. */
  reproduced?: boolean;
  durationUs?: number;
  outputs: OutputComparison[];
  error?: { name: string; message: string; stack?: string };
  stdout?: string;
  stderr?: string;
  /** Things said about the call that fail nothing: dropped options, another package version. */
  notes?: string[];
  /** With `--repeat`: which outputs differed bit for bit between runs. */
  repeats?: { runs: number; differing: { key: string; elements: number; maxAbs: number }[] };
}

export interface ReplaySummary {
  calls: number;
  pass: number;
  ran: number;
  mismatch: number;
  error: number;
  crashed: number;
  timeout: number;
  unstable: number;
  unchecked: number;
  skipped: number;
  reproduced: number;
  outputsCompared: number;
  exitCode: number;
}
