import { isUtf8 } from 'node:buffer';
import { FirError } from '../errors.js';
import { readFully } from '../io/positioned-io.js';
import { findRangeFault } from './check-header.js';
import { MAX_HEADER_BYTES } from './dtypes.js';
import { HeaderSyntaxError } from './header-scanner.js';
import { type Header, parseHeader } from './parse-header.js';
import { describeContent, hasForeignSignature } from './sniff.js';

const LENGTH_BYTES = 8;
/** Read first: enough to know a file by, and the whole header of a small one. */
const START_BYTES = 4096;
/** What a header's text may begin with: its brace, or white space, which the official reader lets pass. */
const HEADER_STARTS: ReadonlySet<number | undefined> = new Set([0x7b, 0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads and checks the header of an open file, in the official implementation's order of checks, and returns it with the
 * position where the data begins. Throws SAFETENSORS_INVALID.
 */
export function readHeader(fd: number, fileBytes: number, path: string): Header & { dataStart: number } {
  const start = Buffer.alloc(Math.min(fileBytes, START_BYTES));
  if (readFully(fd, start, 0) < start.length) throw invalid('the file shrank while it was read', path);
  const dataStart = LENGTH_BYTES + findHeaderLength(start, fileBytes, path);
  const bytes = readUpTo(fd, start, dataStart, path).subarray(LENGTH_BYTES);
  if (!isUtf8(bytes)) throw invalid('the header is not UTF-8', path);
  const header = parse(bytes.toString('utf8'), path);
  const fault = findRangeFault(header.tensors, fileBytes - dataStart);
  if (fault !== undefined) throw invalid(fault, path);
  return { tensors: header.tensors, metadata: header.metadata, dataStart };
}

/** The length that the first 8 bytes state, if the file can hold it: nothing is allocated for what it only claims. */
function findHeaderLength(start: Buffer, fileBytes: number, path: string): number {
  if (start.length === 0) throw notSafetensors('an empty file', path);
  if (start.length < LENGTH_BYTES) {
    throw notSafetensors(`${describeContent(start)} of ${start.length} bytes`, path);
  }
  const length = start.readBigUInt64LE(0);
  const isLarge = length > BigInt(MAX_HEADER_BYTES);
  const isCut = length > BigInt(fileBytes - LENGTH_BYTES);
  const opensHeader =
    HEADER_STARTS.has(start[LENGTH_BYTES]) || (isCut && start.length === LENGTH_BYTES && !isLarge);
  const looksForeign = length === 0n || ((isLarge || isCut) && hasForeignSignature(start));
  if (!opensHeader || looksForeign) throw notSafetensors(describeContent(start), path);
  if (isLarge) {
    throw invalid(`a header of ${length} bytes is larger than the ${MAX_HEADER_BYTES} that are read`, path);
  }
  if (isCut) throw invalid(`truncated: a header of ${length} bytes in a file of ${fileBytes}`, path);
  return Number(length);
}

/** The first `length` bytes of a file whose `start` was read already. */
function readUpTo(fd: number, start: Buffer, length: number, path: string): Buffer {
  if (length <= start.length) return start.subarray(0, length);
  const bytes = Buffer.alloc(length);
  if (readFully(fd, bytes, 0) < length) throw invalid('the file shrank while it was read', path);
  return bytes;
}

function parse(text: string, path: string): Header {
  try {
    return parseHeader(text);
  } catch (error) {
    if (!(error instanceof HeaderSyntaxError)) throw error;
    throw invalid(`${error.message} (character ${error.position} of the header)`, path);
  }
}

function invalid(fault: string, path: string): FirError {
  return new FirError('SAFETENSORS_INVALID', fault, { where: path });
}

function notSafetensors(content: string, path: string): FirError {
  return new FirError('SAFETENSORS_INVALID', `not a safetensors file (looks like ${content})`, {
    where: path,
  });
}
