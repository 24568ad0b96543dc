import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { CaptureOptions } from './types.js';

/** From here on calls are recorded; below they are only logged. */
export const DUMP_LEVEL = 10;

/**
 * FlashInfer's variables for the Python processes of a program, as its `api_logging.py` reads them once at import. What
 * was said to fir goes before the user's own FLASHINFER_* variables, and those before fir's defaults.
 */
export function flashinferEnvironment(options: CaptureOptions): NodeJS.ProcessEnv {
  const { include, exclude, maxSizeGb, maxCount, formatSaid } = options;
  const logDest = logDestination(options);
  return {
    FLASHINFER_LOGLEVEL: flashinferLevel(options),
    FLASHINFER_DUMP_DIR: options.directory,
    ...(logDest === undefined ? {} : { FLASHINFER_LOGDEST: logDest }),
    ...(include.length === 0 ? {} : { FLASHINFER_DUMP_INCLUDE: include.join(',') }),
    ...(exclude.length === 0 ? {} : { FLASHINFER_DUMP_EXCLUDE: exclude.join(',') }),
    ...(maxSizeGb === undefined ? {} : { FLASHINFER_DUMP_MAX_SIZE_GB: String(maxSizeGb) }),
    ...(maxCount === undefined ? {} : { FLASHINFER_DUMP_MAX_COUNT: String(maxCount) }),
    ...(formatSaid === undefined
      ? {}
      : { FLASHINFER_DUMP_SAFETENSORS: formatSaid === 'safetensors' ? '1' : '0' }),
  };
}

/** The level at which Python runs, as text: FlashInfer takes what the user wrote. */
export function flashinferLevel({ level, levelSaid, env, redact }: CaptureOptions): string {
  // It can't leave values out: neither of what it records nor of what it logs.
  if (redact) return '0';
  const own = env['FLASHINFER_LOGLEVEL'];
  return levelSaid || !own ? String(level) : own;
}

/**
 * At level 10 FlashInfer also writes statistics of every tensor to its log, on stdout where nobody says otherwise. A
 * recorded program's output stays its own: that text goes nowhere unless it was asked for. A log that can't be opened
 * would end the import of flashinfer, and is stderr instead. Undefined: as the user's own variables have it.
 */
function logDestination({ logDest, level, levelSaid, env }: CaptureOptions): string | undefined {
  if (logDest === 'stdout' || logDest === 'stderr') return logDest;
  if (logDest !== undefined) return canBeLog(resolve(logDest)) ? resolve(logDest) : 'stderr';
  const isOwn = env['FLASHINFER_LOGDEST'] || (env['FLASHINFER_LOGLEVEL'] && !levelSaid);
  if (isOwn) return undefined;
  return level >= DUMP_LEVEL ? devNull : 'stderr';
}

/** Python makes no directories for its log. */
function canBeLog(path: string): boolean {
  const directory = dirname(path);
  try {
    if (directory.includes('%i') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      return false;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
