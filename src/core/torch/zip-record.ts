import { crc32, inflateRawSync } from 'node:zlib';
import { quoteKey } from '../safetensors/quote-key.js';
import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';
import { LOCAL_BYTES, type ZipRecord } from './zip-directory.js';

const LOCAL_SIGNATURE = 0x04034b50;
/** Small enough to stay in the processor's cache between the read and its checksum. */
const CHUNK_BYTES = 2 ** 18;
/** Deflate makes at most 1032 bytes of one, and of what it can not compress hardly more. */
const LARGEST_RATIO = 1032;
const LARGEST_EXCESS = 1024;

/** Where a record's bytes stand in the file. Its local header says so, where torch pads. Throws a fault. */
export function locateRecord(source: ByteSource, entry: ZipRecord): { begin: number; end: number } {
  const nameEnd = entry.headerBegin + LOCAL_BYTES + entry.nameBytes;
  const header = source.read(entry.headerBegin, nameEnd);
  const isHeader =
    header.readUInt32LE(0) === LOCAL_SIGNATURE &&
    header.readUInt16LE(8) === entry.method &&
    header.readUInt16LE(26) === entry.nameBytes &&
    header.toString('utf8', LOCAL_BYTES) === entry.name;
  if (!isHeader) {
    throw new TorchFault(
      `record ${quoteKey(entry.name)}: no header of it at byte ${entry.headerBegin}, where the directory has it`,
    );
  }
  const sizes = [
    [header.readUInt32LE(18), entry.storedBytes],
    [header.readUInt32LE(22), entry.byteLength],
  ] as const;
  for (const [local, listed] of sizes) {
    if (local !== 0 && local !== 0xffff_ffff && local !== listed) {
      throw new TorchFault(
        `record ${quoteKey(entry.name)} is ${local} bytes by its header and ${listed} by the directory`,
      );
    }
  }
  const begin = nameEnd + header.readUInt16LE(28);
  const end = begin + entry.storedBytes;
  if (end > entry.limit) {
    throw new TorchFault(`record ${quoteKey(entry.name)} ends at byte ${end}, past ${entry.limit}`);
  }
  return { begin, end };
}

/** The whole content of a record of at most `maxBytes`, its checksum compared. Throws a fault. */
export function readRecord(source: ByteSource, entry: ZipRecord, maxBytes: number): Uint8Array {
  if (entry.byteLength > maxBytes) {
    throw new TorchFault(
      `record ${quoteKey(entry.name)} of ${entry.byteLength} bytes is larger than the ${maxBytes} that are read`,
    );
  }
  const isPossible =
    entry.byteLength <= entry.storedBytes * LARGEST_RATIO &&
    entry.storedBytes <= entry.byteLength * 2 + LARGEST_EXCESS;
  if (!isPossible) {
    throw new TorchFault(
      `record ${quoteKey(entry.name)} claims ${entry.byteLength} bytes from ${entry.storedBytes} compressed ones`,
    );
  }
  const { begin, end } = locateRecord(source, entry);
  const content =
    entry.method === 0 ? source.read(begin, end) : inflateRecord(source.read(begin, end), entry);
  compareChecksum(entry, entry.crc === 0 ? 0 : crc32(content));
  return content;
}

/** How far a record was read in order, and the checksum up to there. */
export interface RunningSum {
  readonly end: number;
  readonly crc: number;
}

export const NOTHING_READ: RunningSum = { end: 0, crc: 0 };

/**
 * Fills `into` with what follows on `sum` in a stored record whose bytes begin at `begin` of the file. Returns the sum
 * with that in it. Throws a fault.
 */
export function readOn(source: ByteSource, begin: number, sum: RunningSum, into: Uint8Array): RunningSum {
  let { end, crc } = sum;
  for (let at = 0; at < into.byteLength; at += CHUNK_BYTES) {
    const piece = into.subarray(at, at + CHUNK_BYTES);
    source.readInto(piece, begin + end);
    crc = crc32(piece, crc);
    end += piece.byteLength;
  }
  return { end, crc };
}

/** Compares the checksum of a stored record, of which only what is not in `sum` is read. Throws a fault. */
export function checkRecord(source: ByteSource, entry: ZipRecord, begin: number, sum: RunningSum): void {
  const piece = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, entry.byteLength - sum.end));
  let whole = sum;
  while (whole.end < entry.byteLength) {
    whole = readOn(source, begin, whole, piece.subarray(0, entry.byteLength - whole.end));
  }
  compareChecksum(entry, whole.crc);
}

function compareChecksum(entry: ZipRecord, checksum: number): void {
  if (entry.crc === 0 || entry.crc === checksum) return;
  throw new TorchFault(
    `record ${quoteKey(entry.name)} is damaged: its checksum is ${hex(checksum)}, but the archive says ${hex(entry.crc)}`,
  );
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function inflateRecord(stored: Uint8Array, entry: ZipRecord): Uint8Array {
  let content: Uint8Array;
  try {
    content = inflateRawSync(stored, { maxOutputLength: Math.max(entry.byteLength, 1) });
  } catch {
    throw new TorchFault(
      `record ${quoteKey(entry.name)} can not be inflated to the ${entry.byteLength} bytes that it claims`,
    );
  }
  if (content.byteLength === entry.byteLength) return content;
  throw new TorchFault(
    `record ${quoteKey(entry.name)} inflates to ${content.byteLength} bytes, but claims ${entry.byteLength}`,
  );
}
