import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { makeTempDir } from '../../support/temp-dir.js';

/** One record of an archive, and what is said of it that need not be true. */
export interface RawRecord {
  name: string;
  content: Uint8Array;
  /** Deflated where true. */
  deflate?: boolean;
  /** Zeros after the content that take no room on the disk. */
  hole?: number;
  crc?: number;
  method?: number;
  flags?: number;
  /** Size as claimed, of the record as stored and as read. */
  storedBytes?: number;
  byteLength?: number;
  /** Where the directory says that the header is. */
  headerBegin?: number;
  /** The name in the header of the record itself. */
  localName?: string;
  /** Sizes in the header of the record itself; 0 as torch writes them. */
  localBytes?: number;
  /** Data begins at a multiple of this, by padding in the record's own header. */
  align?: number;
}

export interface RawArchive {
  /** Zip64 end records, as torch always writes. True by default. */
  zip64?: boolean;
  comment?: string;
  /** What the end records claim. */
  entries?: number;
  directoryBytes?: number;
  directoryBegin?: number;
  end64Begin?: number;
}

interface Piece {
  at: number;
  bytes: Uint8Array;
}

const UNKNOWN = 0xffff_ffff;

/** The pieces of an archive with the places where they stand. */
export function archivePieces(records: readonly RawRecord[], archive: RawArchive = {}): Piece[] {
  const pieces: Piece[] = [];
  const listed: Buffer[] = [];
  let at = 0;
  for (const record of records) {
    const stored = record.deflate ? deflateRawSync(record.content) : record.content;
    const storedBytes = record.storedBytes ?? stored.byteLength + (record.hole ?? 0);
    const byteLength = record.byteLength ?? record.content.byteLength + (record.hole ?? 0);
    const crc = record.crc ?? crc32(record.content);
    const method = record.method ?? (record.deflate ? 8 : 0);
    const begin = at;
    const localName = Buffer.from(record.localName ?? record.name);
    const padded = Math.ceil((at + 34 + localName.length) / (record.align ?? 64)) * (record.align ?? 64);
    const extra = Buffer.alloc(padded - at - 30 - localName.length, 'Z');
    extra.write('FB', 'latin1');
    extra.writeUInt16LE(extra.length - 4, 2);
    const local = Buffer.alloc(30);
    local.write('PK\x03\x04', 'latin1');
    local.writeUInt16LE(record.flags ?? 0x0808, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(record.localBytes ?? 0, 18);
    local.writeUInt32LE(record.localBytes ?? 0, 22);
    local.writeUInt16LE(localName.length, 26);
    local.writeUInt16LE(extra.length, 28);
    pieces.push({ at, bytes: Buffer.concat([local, localName, extra, stored]) });
    at = padded + stored.byteLength + (record.hole ?? 0);
    listed.push(
      listRecord({
        ...record,
        crc,
        method,
        storedBytes,
        byteLength,
        headerBegin: record.headerBegin ?? begin,
      }),
    );
  }
  const directory = Buffer.concat(listed);
  pieces.push({
    at,
    bytes: Buffer.concat([directory, endRecords(records.length, at, directory.length, archive)]),
  });
  return pieces;
}

function listRecord(
  record: Required<
    Pick<RawRecord, 'name' | 'crc' | 'method' | 'storedBytes' | 'byteLength' | 'headerBegin'>
  > &
    RawRecord,
): Buffer {
  const name = Buffer.from(record.name);
  const fields = [record.byteLength, record.storedBytes, record.headerBegin];
  const long = fields.filter((field) => field >= UNKNOWN);
  const extra = Buffer.alloc(long.length === 0 ? 0 : 4 + long.length * 8);
  if (long.length > 0) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(long.length * 8, 2);
    for (const [index, field] of long.entries()) extra.writeBigUInt64LE(BigInt(field), 4 + index * 8);
  }
  const [byteLength, storedBytes, headerBegin] = fields.map((field) => Math.min(field, UNKNOWN));
  const entry = Buffer.alloc(46);
  entry.write('PK\x01\x02', 'latin1');
  entry.writeUInt16LE(record.flags ?? 0x0808, 8);
  entry.writeUInt16LE(record.method, 10);
  entry.writeUInt32LE(record.crc, 16);
  entry.writeUInt32LE(storedBytes ?? 0, 20);
  entry.writeUInt32LE(byteLength ?? 0, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(headerBegin ?? 0, 42);
  return Buffer.concat([entry, name, extra]);
}

function endRecords(count: number, begin: number, length: number, archive: RawArchive): Buffer {
  const entries = archive.entries ?? count;
  const size = archive.directoryBytes ?? length;
  const offset = archive.directoryBegin ?? begin;
  const comment = Buffer.from(archive.comment ?? '');
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Math.min(entries, 0xffff), 8);
  end.writeUInt16LE(Math.min(entries, 0xffff), 10);
  end.writeUInt32LE(Math.min(size, UNKNOWN), 12);
  end.writeUInt32LE(Math.min(offset, UNKNOWN), 16);
  end.writeUInt16LE(comment.length, 20);
  if (archive.zip64 === false) return Buffer.concat([end, comment]);
  const end64 = Buffer.alloc(76);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(entries), 24);
  end64.writeBigUInt64LE(BigInt(entries), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  end64.write('PK\x06\x07', 56, 'latin1');
  end64.writeBigUInt64LE(BigInt(archive.end64Begin ?? begin + length), 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([end64, end, comment]);
}

/** Puts bytes into a new file; its path. */
export function placeBytes(bytes: Uint8Array, name = 'hostile.pt'): string {
  const path = join(makeTempDir(), name);
  writeFileSync(path, bytes);
  return path;
}

/** Puts an archive into a new file; its path. Holes take no room. */
export function placeArchive(records: readonly RawRecord[], archive?: RawArchive): string {
  const path = join(makeTempDir(), 'archive.pt');
  const fd = openSync(path, 'wx');
  for (const { at, bytes } of archivePieces(records, archive)) writeSync(fd, bytes, 0, bytes.byteLength, at);
  closeSync(fd);
  return path;
}

/** A torch.save archive with this pickle, and storages by key. */
export function torchRecords(pickle: Uint8Array, storages: Record<string, Uint8Array> = {}): RawRecord[] {
  return [
    { name: 'archive/data.pkl', content: pickle },
    { name: 'archive/byteorder', content: Buffer.from('little') },
    ...Object.entries(storages).map(([key, content]) => ({ name: `archive/data/${key}`, content })),
    { name: 'archive/version', content: Buffer.from('3\n') },
  ];
}
