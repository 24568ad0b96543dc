import { resolve } from 'node:path';
import type { TensorFormat } from './tensor-group.js';

/** 0 off, 1 names, 3 arguments and results, 5 with statistics, 10 dumps. */
export type Level = 0 | 1 | 3 | 5 | 10;

/** From here on calls are recorded; below they are only logged. */
export const DUMP_LEVEL = 10;

export interface RecorderSettings {
  level: Level;
  /** Absolute session directory. */
  directory: string;
  maxBytes: number;
  maxCount: number;
  /** Calls of one function. */
  maxPerFunction: number;
  /** At a limit: record no more, or drop the oldest calls. */
  onLimit: 'stop' | 'rotate';
  include: readonly string[];
  exclude: readonly string[];
  /** `stderr`, `stdout` or a path; `%i` is the process id. */
  logDest: string;
  tensorFormat: TensorFormat;
  asyncParents: boolean;
  /** Contents that come again are stored once. */
  dedupe: boolean;
  /** Values and texts are left out. */
  redact: boolean;
  /** Shared by the processes of one `fir capture`, so that equal texts are seen to be equal; never written. */
  redactKey: string | undefined;
  /** Names the `fir capture` run; absent where the variables were set by hand. */
  capture: string | undefined;
}

/** Reads a level leniently: a recorder must never stop the program for a bad variable. */
function levelFrom(text: string | undefined): Level {
  const number = Number(text ?? 0);
  if (!(number > 0)) return 0;
  if (number >= 10) return 10;
  if (number >= 5) return 5;
  return number >= 3 ? 3 : 1;
}

/** The FIR_* variables as settings; sizes are in GiB there, in bytes here. */
export function settingsFrom(env: NodeJS.ProcessEnv): RecorderSettings {
  return {
    level: levelFrom(env['FIR_LOGLEVEL']),
    directory: resolve(env['FIR_DUMP_DIR'] || 'fir_dumps'),
    maxBytes: numberFrom(env['FIR_DUMP_MAX_SIZE_GB'], 20) * 1024 ** 3,
    maxCount: numberFrom(env['FIR_DUMP_MAX_COUNT'], 1000),
    maxPerFunction: numberFrom(env['FIR_DUMP_MAX_PER_FUNCTION'], Number.POSITIVE_INFINITY),
    onLimit: env['FIR_DUMP_ON_LIMIT'] === 'rotate' ? 'rotate' : 'stop',
    include: patternsFrom(env['FIR_DUMP_INCLUDE']),
    exclude: patternsFrom(env['FIR_DUMP_EXCLUDE']),
    logDest: env['FIR_LOGDEST'] || 'stderr',
    tensorFormat: env['FIR_DUMP_SAFETENSORS'] === '0' ? 'torch' : 'safetensors',
    redact: env['FIR_DUMP_REDACT'] === '1',
    redactKey: env['FIR_REDACT_KEY'] || undefined,
    asyncParents: env['FIR_ASYNC_PARENTS'] === '1',
    dedupe: env['FIR_DUMP_DEDUPE'] === '1',
    capture: env['FIR_CAPTURE_ID'] || undefined,
  };
}

function numberFrom(text: string | undefined, fallback: number): number {
  const number = text === undefined || text === '' ? Number.NaN : Number(text);
  return number >= 0 ? number : fallback;
}

/** Comma-separated fnmatch patterns, as FlashInfer's variables hold them. */
function patternsFrom(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
}
