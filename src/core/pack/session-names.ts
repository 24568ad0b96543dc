import { flushNumber, GRAPH_FLUSHES, OLD_METADATA } from '../flashinfer/index.js';
import { METADATA, TENSOR_FILE } from '../session/dump-scan.js';
import { isPlainName } from '../session/safe-path.js';

const INDEX = /^session(?:\.[^/]+)?\.jsonl$/;
const EXTRACTED = 'extracted.json';
export const PROCESSES = 'processes';
export const BLOBS = 'blobs';
const SHA256 = /^[0-9a-f]{64}$/;
/** A dump's hold on content under `blobs/`, a hard link where the file system has them. */
const HOLD = /^([0-9a-f]{64})\.blob$/;

/** Whether a path below a session's directory, as its names, is that of a file that a session consists of. */
export function isSessionFile(names: readonly string[]): boolean {
  const [first = '', second = '', ...more] = names;
  if (names.length === 1) return isRootFile(first);
  if (names.length === 2 && first === PROCESSES) return /^.+\.json$/s.test(second) && isPlainName(second);
  if (names.length === 2 && first === BLOBS) return SHA256.test(second);
  if (!isDumpName(first)) return false;
  if (names.length === 2) return isDumpFile(second);
  const [flush = '', file = ''] = more;
  return (
    names.length === 4 && second === GRAPH_FLUSHES && flushNumber(flush) !== undefined && isDumpFile(file)
  );
}

/** The same of a directory; the session's own has no names. */
export function isSessionDirectory(names: readonly string[]): boolean {
  const [first = '', second, flush] = names;
  if (names.length === 0) return true;
  if (names.length === 1) return first === PROCESSES || first === BLOBS || isDumpName(first);
  if (!isDumpName(first) || second !== GRAPH_FLUSHES) return false;
  return names.length === 2 || (names.length === 3 && flushNumber(flush ?? '') !== undefined);
}

/** Whether a file that stands in a session's own directory tells by its name alone that it is one of a session. */
export function isRootFile(name: string): boolean {
  return INDEX.test(name) || name === EXTRACTED;
}

/** The content that a dump's file is a hold on, by its SHA-256; undefined for any other file. */
export function heldBy(name: string): string | undefined {
  return HOLD.exec(name)?.[1];
}

/** Readers pass over what begins with a dot. */
function isDumpName(name: string): boolean {
  return isPlainName(name) && !name.startsWith('.') && name !== PROCESSES && name !== BLOBS;
}

function isDumpFile(name: string): boolean {
  return name === METADATA || name === OLD_METADATA || TENSOR_FILE.test(name) || HOLD.test(name);
}
