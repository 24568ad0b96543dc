import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';

// Records of APPNOTE.TXT (PKWARE), sections 4.3.14 to 4.3.16: signature and fixed length.
const END = { signature: 0x06054b50, bytes: 22 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const MAX_COMMENT_BYTES = 0xffff;

/** Where the directory of an archive is. */
export interface ZipEnd {
  entries: number;
  directoryBegin: number;
  directoryEnd: number;
}

/** Finds the end record of an archive, and the zip64 one before it where there is one. Throws a fault. */
export function findZipEnd(source: ByteSource): ZipEnd {
  const at = locateEnd(source);
  const record = source.read(at, at + END.bytes);
  const short = {
    disk: record.readUInt16LE(4),
    entries: record.readUInt16LE(10),
    size: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
  };
  const long = readEnd64(source, at);
  const disk = long?.disk ?? short.disk;
  if (disk !== 0 && disk !== 0xffff) throw new TorchFault('the archive is one part of several');
  const end = {
    entries: agree(short.entries, 0xffff, long?.entries),
    size: agree(short.size, 0xffff_ffff, long?.size),
    offset: agree(short.offset, 0xffff_ffff, long?.offset),
  };
  const limit = long?.begin ?? at;
  if (end.offset + end.size > limit) {
    throw new TorchFault(
      `the archive is cut short or damaged: its directory of ${end.size} bytes at ${end.offset} does not lie before ` +
        `its end record at ${limit}`,
    );
  }
  return { entries: end.entries, directoryBegin: end.offset, directoryEnd: end.offset + end.size };
}

function locateEnd(source: ByteSource): number {
  const tailBegin = Math.max(source.size - END.bytes - MAX_COMMENT_BYTES, 0);
  const tail = source.read(tailBegin, source.size);
  let at = tail.length - END.bytes;
  while (at >= 0) {
    at = tail.lastIndexOf(END_SIGNATURE, at);
    if (at < 0) break;
    if (at + END.bytes + tail.readUInt16LE(at + 20) <= tail.length) return tailBegin + at;
    at--;
  }
  throw new TorchFault(
    `the archive is cut short: its end record is missing from a file of ${source.size} bytes`,
    'the program that wrote it ended, or its disk was full, before the file was complete',
  );
}

interface End64 {
  begin: number;
  disk: number;
  entries: number;
  size: number;
  offset: number;
}

function readEnd64(source: ByteSource, endAt: number): End64 | undefined {
  const locatorAt = endAt - LOCATOR64.bytes;
  if (locatorAt < END64.bytes) return undefined;
  const locator = source.read(locatorAt, endAt);
  if (locator.readUInt32LE(0) !== LOCATOR64.signature) return undefined;
  const begin = readCount(locator, 8);
  if (begin > locatorAt - END64.bytes) {
    throw new TorchFault(`the zip64 end record at ${begin} does not lie before its locator at ${locatorAt}`);
  }
  const record = source.read(begin, begin + END64.bytes);
  if (record.readUInt32LE(0) !== END64.signature) {
    throw new TorchFault(`no zip64 end record at ${begin}, where its locator says that it is`);
  }
  return {
    begin,
    disk: record.readUInt32LE(16),
    entries: readCount(record, 32),
    size: readCount(record, 40),
    offset: readCount(record, 48),
  };
}

/** A field of the short record, or of the long one where the short one leaves it to that. */
function agree(short: number, saturated: number, long: number | undefined): number {
  if (short === saturated && long !== undefined) return long;
  if (long !== undefined && long !== short) {
    throw new TorchFault(`the two end records of the archive disagree: ${short} and ${long}`);
  }
  return short;
}

/** A 64-bit count. Throws a fault past 2^53, which no file reaches. */
export function readCount(bytes: Buffer, at: number): number {
  const count = bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
  if (count > Number.MAX_SAFE_INTEGER)
    throw new TorchFault(`the archive claims a size or offset of ${count}`);
  return count;
}
