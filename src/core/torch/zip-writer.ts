import type * as zlib from 'node:zlib';

/** Data begins at a multiple of this, so that it can be mapped; the same as torch's own. */
const ALIGNMENT = 64;
/** From here on a size, an offset or a count stands in the wider field of zip64. */
const WIDE = 0xffffffff;
const MANY = 0xffff;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const WIDE_END_BYTES = 56;
const WIDE_LOCATOR_BYTES = 20;
const VERSION = 20;
const WIDE_VERSION = 45;
const WIDE_FIELD = 0x0001;
/** `FB`: padding, as torch names it. */
const PADDING_FIELD = 0x4246;
const PADDING = 0x5a;
/** The first day that the format can say. */
const DATE = (1 << 5) | 1;
/** zlib's own counters have 32 bits. */
const MAX_CHECKSUM_BYTES = 2 ** 30;

/** A file of an archive, stored as it is. */
export interface ZipEntry {
  /** ASCII. */
  name: string;
  pieces: readonly Uint8Array[];
  byteLength: number;
}

/** An archive in pieces, one after the other, and where the data of each entry begins in it. */
export interface ZipLayout {
  pieces: Uint8Array[];
  byteLength: number;
  begins: number[];
}

interface PlacedEntry {
  entry: ZipEntry;
  offset: number;
  headerBytes: number;
  wideFields: number;
}

/** Lays out an archive of stored entries whose data is aligned as torch aligns it. The data is not copied. */
export function layOutZip(entries: readonly ZipEntry[]): ZipLayout {
  const placed: PlacedEntry[] = [];
  let end = 0;
  let headerBytes = 0;
  let directoryBytes = 0;
  for (const entry of entries) {
    const place = placeEntry(entry, end);
    placed.push(place);
    end += place.headerBytes + entry.byteLength;
    headerBytes += place.headerBytes;
    directoryBytes += CENTRAL_BYTES + entry.name.length + wideBytes(place.wideFields);
  }
  const isWide = end >= WIDE || directoryBytes >= WIDE || entries.length >= MANY;
  const endBytes = END_BYTES + (isWide ? WIDE_END_BYTES + WIDE_LOCATOR_BYTES : 0);
  const memory = Buffer.allocUnsafe(headerBytes + directoryBytes + endBytes);
  const headers = new ByteWriter(memory);
  const directory = new ByteWriter(memory, headerBytes);
  const pieces: Uint8Array[] = [];
  const begins: number[] = [];
  for (const place of placed) {
    const { entry, offset } = place;
    const crc = checksumOf(entry.pieces);
    const from = headers.at;
    writeLocalHeader(headers, place, crc);
    pieces.push(memory.subarray(from, headers.at), ...entry.pieces);
    begins.push(offset + place.headerBytes);
    writeCentralHeader(directory, place, crc);
  }
  if (isWide) writeWideEnd(directory, entries.length, directoryBytes, end);
  writeEnd(directory, entries.length, directoryBytes, end);
  pieces.push(memory.subarray(headerBytes));
  return { pieces, byteLength: end + directoryBytes + endBytes, begins };
}

function placeEntry(entry: ZipEntry, offset: number): PlacedEntry {
  const isWide = entry.byteLength >= WIDE;
  const least = LOCAL_BYTES + entry.name.length + (isWide ? wideBytes(2) : 0) + 4;
  const headerBytes = Math.ceil((offset + least) / ALIGNMENT) * ALIGNMENT - offset;
  return { entry, offset, headerBytes, wideFields: (isWide ? 2 : 0) + (offset >= WIDE ? 1 : 0) };
}

/** Bytes of an extra field that holds so many numbers of 64 bits. */
function wideBytes(fields: number): number {
  return fields === 0 ? 0 : 4 + 8 * fields;
}

function writeLocalHeader(to: ByteWriter, { entry, headerBytes }: PlacedEntry, crc: number): void {
  const { name, byteLength } = entry;
  const isWide = byteLength >= WIDE;
  const extraBytes = headerBytes - LOCAL_BYTES - name.length;
  to.u32(0x04034b50);
  writeShared(to, isWide ? WIDE_VERSION : VERSION, crc, byteLength);
  to.u16(name.length);
  to.u16(extraBytes);
  to.ascii(name);
  // Where one size is wide, a local header says both.
  if (isWide) writeWideField(to, [byteLength, byteLength]);
  const paddingBytes = extraBytes - (isWide ? wideBytes(2) : 0) - 4;
  to.u16(PADDING_FIELD);
  to.u16(paddingBytes);
  to.padding(paddingBytes);
}

function writeCentralHeader(to: ByteWriter, { entry, offset, wideFields }: PlacedEntry, crc: number): void {
  const { name, byteLength } = entry;
  const version = wideFields === 0 ? VERSION : WIDE_VERSION;
  to.u32(0x02014b50);
  to.u16(version);
  writeShared(to, version, crc, byteLength);
  to.u16(name.length);
  to.u16(wideBytes(wideFields));
  // No comment, first disk, no attributes.
  to.u16(0);
  to.u16(0);
  to.u16(0);
  to.u32(0);
  to.u32(Math.min(offset, WIDE));
  to.ascii(name);
  const sizes = byteLength >= WIDE ? [byteLength, byteLength] : [];
  if (wideFields > 0) writeWideField(to, offset >= WIDE ? [...sizes, offset] : sizes);
}

/** From the version needed to the sizes, which both kinds of header have. */
function writeShared(to: ByteWriter, version: number, crc: number, byteLength: number): void {
  to.u16(version);
  // No flags, stored, midnight.
  to.u16(0);
  to.u16(0);
  to.u16(0);
  to.u16(DATE);
  to.u32(crc);
  to.u32(Math.min(byteLength, WIDE));
  to.u32(Math.min(byteLength, WIDE));
}

function writeWideField(to: ByteWriter, values: readonly number[]): void {
  to.u16(WIDE_FIELD);
  to.u16(8 * values.length);
  for (const value of values) to.u64(value);
}

function writeWideEnd(to: ByteWriter, entries: number, directoryBytes: number, begin: number): void {
  to.u32(0x06064b50);
  to.u64(WIDE_END_BYTES - 12);
  to.u16(WIDE_VERSION);
  to.u16(WIDE_VERSION);
  to.u32(0);
  to.u32(0);
  to.u64(entries);
  to.u64(entries);
  to.u64(directoryBytes);
  to.u64(begin);
  to.u32(0x07064b50);
  to.u32(0);
  to.u64(begin + directoryBytes);
  to.u32(1);
}

function writeEnd(to: ByteWriter, entries: number, directoryBytes: number, begin: number): void {
  to.u32(0x06054b50);
  to.u16(0);
  to.u16(0);
  to.u16(Math.min(entries, MANY));
  to.u16(Math.min(entries, MANY));
  to.u32(Math.min(directoryBytes, WIDE));
  to.u32(Math.min(begin, WIDE));
  to.u16(0);
}

/** Loaded when first needed: it would cost every recorded program a millisecond at its start. */
let crc32: typeof zlib.crc32 | undefined;

function checksumOf(pieces: readonly Uint8Array[]): number {
  crc32 ??= process.getBuiltinModule('node:zlib').crc32;
  let crc = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += MAX_CHECKSUM_BYTES) {
      const part = piece.length <= MAX_CHECKSUM_BYTES ? piece : piece.subarray(at, at + MAX_CHECKSUM_BYTES);
      crc = crc32(part, crc);
    }
  }
  return crc;
}

/** Little-endian numbers, one after the other, into memory of a known size. By hand: Buffer's own checks cost more. */
class ByteWriter {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  u16(value: number): void {
    this.bytes[this.at++] = value;
    this.bytes[this.at++] = value >>> 8;
  }

  u32(value: number): void {
    this.u16(value);
    this.u16(value >>> 16);
  }

  u64(value: number): void {
    this.u32(value);
    this.u32(Math.floor(value / 2 ** 32));
  }

  ascii(text: string): void {
    for (let index = 0; index < text.length; index++) this.bytes[this.at++] = text.charCodeAt(index);
  }

  padding(bytes: number): void {
    for (const end = this.at + bytes; this.at < end; ) this.bytes[this.at++] = PADDING;
  }
}
