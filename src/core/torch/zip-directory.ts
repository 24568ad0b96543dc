import { quoteKey } from '../safetensors/quote-key.js';
import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { findZipEnd, readCount, type ZipEnd } from './zip-end.js';

const ENTRY = { signature: 0x02014b50, bytes: 46 };
const ZIP64_EXTRA = 1;
const IS_ENCRYPTED = 1;
/** Fixed bytes of a local header. */
export const LOCAL_BYTES = 30;

/** One record of an archive, as its directory describes it. */
export interface ZipRecord {
  readonly name: string;
  readonly nameBytes: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** 0 where the checksum was switched off. */
  readonly crc: number;
  readonly storedBytes: number;
  readonly byteLength: number;
  readonly headerBegin: number;
  /** Where the next record or the directory begins. */
  limit: number;
}

/**
 * Reads the directory of an archive: its records by name. Each lies within the file and apart from the others, as far as
 * the directory can say. Throws a fault.
 */
export function readZipDirectory(source: ByteSource): Map<string, ZipRecord> {
  const end = findZipEnd(source);
  if (end.entries > LIMITS.records) {
    throw new TorchFault(`${end.entries} records are more than the ${LIMITS.records} that are read`);
  }
  const directoryBytes = end.directoryEnd - end.directoryBegin;
  if (directoryBytes > LIMITS.directoryBytes) {
    throw new TorchFault(
      `a directory of ${directoryBytes} bytes is larger than the ${LIMITS.directoryBytes} that are read`,
    );
  }
  if (end.entries * ENTRY.bytes > directoryBytes) {
    throw new TorchFault(`the directory is too short for the ${end.entries} records that it claims`);
  }
  const entries = parseDirectory(source.read(end.directoryBegin, end.directoryEnd), end);
  limitEntries(entries, end.directoryBegin);
  const byName = new Map<string, ZipRecord>();
  for (const entry of entries) {
    if (byName.has(entry.name)) throw new TorchFault(`two records are called ${quoteKey(entry.name)}`);
    byName.set(entry.name, entry);
  }
  return byName;
}

function parseDirectory(bytes: Buffer, end: ZipEnd): ZipRecord[] {
  const entries: ZipRecord[] = [];
  let at = 0;
  while (entries.length < end.entries) {
    if (at + ENTRY.bytes > bytes.length || bytes.readUInt32LE(at) !== ENTRY.signature) {
      throw new TorchFault(`the directory is damaged: no record at byte ${end.directoryBegin + at}`);
    }
    const nameEnd = at + ENTRY.bytes + bytes.readUInt16LE(at + 28);
    const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
    const next = extraEnd + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) {
      throw new TorchFault(`the directory is damaged: the record at byte ${end.directoryBegin + at} is cut`);
    }
    entries.push(parseEntry(bytes, at, nameEnd, extraEnd));
    at = next;
  }
  return entries;
}

function parseEntry(bytes: Buffer, at: number, nameEnd: number, extraEnd: number): ZipRecord {
  const name = bytes.toString('utf8', at + ENTRY.bytes, nameEnd);
  if ((bytes.readUInt16LE(at + 8) & IS_ENCRYPTED) !== 0) {
    throw new TorchFault(`record ${quoteKey(name)} is encrypted`);
  }
  const takeLong = zip64Fields(bytes.subarray(nameEnd, extraEnd), name);
  const byteLength = takeLong(bytes.readUInt32LE(at + 24));
  const storedBytes = takeLong(bytes.readUInt32LE(at + 20));
  const headerBegin = takeLong(bytes.readUInt32LE(at + 42));
  const method = bytes.readUInt16LE(at + 10);
  if (method !== 0 && method !== 8) {
    throw new TorchFault(`record ${quoteKey(name)} is compressed by method ${method}: only deflate is read`);
  }
  if (method === 0 && storedBytes !== byteLength) {
    throw new TorchFault(
      `record ${quoteKey(name)} is stored, but claims ${byteLength} bytes in ${storedBytes}`,
    );
  }
  return {
    name,
    nameBytes: nameEnd - at - ENTRY.bytes,
    method,
    crc: bytes.readUInt32LE(at + 16),
    storedBytes,
    byteLength,
    headerBegin,
    limit: 0,
  };
}

/** Gives a field, or its 64-bit form from the zip64 extra field (section 4.5.3) where it is saturated; in order. */
function zip64Fields(extra: Buffer, name: string): (short: number) => number {
  let at = 0;
  let end = 0;
  for (let next = 0; next + 4 <= extra.length && end === 0; ) {
    const fieldEnd = next + 4 + extra.readUInt16LE(next + 2);
    if (extra.readUInt16LE(next) === ZIP64_EXTRA) {
      at = next + 4;
      end = Math.min(fieldEnd, extra.length);
    }
    next = fieldEnd;
  }
  return (short) => {
    if (short !== 0xffff_ffff) return short;
    if (at + 8 > end) throw new TorchFault(`record ${quoteKey(name)} lacks its 64-bit sizes`);
    at += 8;
    return readCount(extra, at - 8);
  };
}

function limitEntries(entries: readonly ZipRecord[], directoryBegin: number): void {
  const ordered = [...entries].sort((left, right) => left.headerBegin - right.headerBegin);
  ordered.forEach((entry, index) => {
    const next = ordered[index + 1];
    const end = entry.headerBegin + LOCAL_BYTES + entry.nameBytes + entry.storedBytes;
    entry.limit = next?.headerBegin ?? directoryBegin;
    if (end <= entry.limit) return;
    throw new TorchFault(
      next === undefined || end > directoryBegin
        ? `record ${quoteKey(entry.name)} reaches to byte ${end}, past the ${directoryBegin} that hold records`
        : `records ${quoteKey(entry.name)} and ${quoteKey(next.name)} overlap`,
    );
  });
}
