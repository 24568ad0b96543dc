import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import { FirError, messageOf } from '../errors.js';
import { compressionFromStart } from './compression.js';

const BLOCK_BYTES = 512;
/** Of a header that tells of the next entry: a name, times, extended attributes. */
const MAX_META_BYTES = 1024 * 1024;

export interface TarEntry {
  kind: 'file' | 'directory' | 'link';
  /** As the archive has it. */
  path: string;
  /** Of a hard link: the path of an entry before. */
  target: string;
  /** Of what `onBytes` gives; 0 but for files. */
  bytes: number;
}

/** What is told of an archive, in its order. */
export interface TarVisitor {
  onEntry(entry: TarEntry): void;
  /** Bytes of the last file; overwritten by the next ones. */
  onBytes(bytes: Buffer): void;
  onEntryEnd(): void;
}

/**
 * Reads a tar archive piece by piece: ustar, with the extensions of pax and GNU for long names and large files. What is
 * neither a file nor a directory nor a hard link, and what is damaged in any way, is refused.
 * FirError PACK_INVALID, UNSAFE_PATH, TOO_LARGE, and what the visitor throws.
 */
export class TarReader {
  readonly #visitor: TarVisitor;
  readonly #maxBytes: number;
  #left: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  #state: 'begin' | 'header' | 'meta' | 'body' | 'end' = 'begin';
  /** Of the body at hand, and of what pads it to whole blocks. */
  #remaining = 0;
  #padding = 0;
  #meta: { type: string; pieces: Buffer[] } = { type: '', pieces: [] };
  #pax: Pax | undefined;
  #long: { path?: string; target?: string } = {};
  #emptyBlocks = 0;

  /** `maxBytes`: of the whole archive. */
  constructor(visitor: TarVisitor, maxBytes: number) {
    this.#visitor = visitor;
    this.#left = maxBytes;
    this.#maxBytes = maxBytes;
  }

  push(piece: Buffer): void {
    this.#left -= piece.length;
    if (this.#left < 0) throw this.#tooLarge();
    for (let at = 0; at < piece.length; ) {
      if (this.#remaining > 0) at += this.#takeBody(piece.subarray(at, at + this.#remaining));
      else if (this.#padding > 0) at += this.#skip(piece.length - at);
      else at += this.#takeBlock(piece.subarray(at, at + BLOCK_BYTES - this.#filled));
    }
  }

  /** The archive has no more bytes. */
  finish(): void {
    if (this.#state !== 'end') throw invalid('it is cut short');
  }

  #takeBlock(bytes: Buffer): number {
    bytes.copy(this.#block, this.#filled);
    this.#filled += bytes.length;
    if (this.#filled === BLOCK_BYTES) {
      this.#filled = 0;
      this.#onBlock(this.#block);
    }
    return bytes.length;
  }

  #onBlock(block: Buffer): void {
    const isEmpty = block.every((byte) => byte === 0);
    if (this.#state === 'end') {
      if (!isEmpty) throw invalid('something follows its end');
    } else if (isEmpty) {
      this.#emptyBlocks += 1;
      if (this.#emptyBlocks === 2) this.#state = 'end';
    } else {
      if (this.#emptyBlocks > 0) throw invalid('an empty block stands in the middle');
      this.#onHeader(block);
    }
  }

  #onHeader(block: Buffer): void {
    const header = this.#parse(block);
    const { type, size = -1 } = header;
    if (!Number.isSafeInteger(size) || size < 0) throw invalid('an entry has an impossible size');
    if (size > this.#maxBytes) throw this.#tooLarge();
    if (META_TYPES.has(type)) this.#beginMeta(type, size);
    else this.#beginEntry(header, type, size);
    this.#padding = (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
    this.#remaining = size;
    if (size === 0) this.#onBodyEnd();
  }

  #tooLarge(): FirError {
    const gigabytes = (this.#maxBytes / 2 ** 30).toFixed(1);
    return new FirError('TOO_LARGE', `it holds more than the ${gigabytes} GiB that may be unpacked here`, {
      hint: 'TMPDIR names a directory with more room; if you trust the pack, unpack it with tar -xf and name the directory',
    });
  }

  #parse(block: Buffer): Header {
    const isFirst = this.#state === 'begin';
    this.#state = 'header';
    if (isFirst && compressionFromStart(block) !== undefined) throw invalid('it is compressed twice');
    try {
      const header = new Header(block, 0, this.#pax);
      if (header.cksumValid) return header;
    } catch (error) {
      throw invalid(messageOf(error));
    }
    throw invalid(isFirst ? 'it holds no tar archive' : 'the checksum of an entry is wrong');
  }

  #beginMeta(type: string, size: number): void {
    if (size > MAX_META_BYTES) throw invalid(`what it says of an entry has ${size} bytes`);
    this.#state = 'meta';
    this.#meta = { type, pieces: [] };
  }

  #beginEntry(header: Header, type: string, size: number): void {
    const kind = KINDS.get(type);
    const path = this.#pax?.path ?? this.#long.path ?? header.path ?? '';
    if (kind === undefined) {
      throw new FirError('UNSAFE_PATH', `it holds ${NAMES_OF_TYPES.get(type) ?? 'a special file'}`, {
        where: path,
      });
    }
    if (kind === 'link' && size > 0) throw invalid('a hard link has content');
    const target = kind === 'link' ? (this.#pax?.linkpath ?? this.#long.target ?? header.linkpath ?? '') : '';
    this.#pax = undefined;
    this.#long = {};
    this.#state = 'body';
    this.#visitor.onEntry({
      kind: kind === 'file' && path.endsWith('/') ? 'directory' : kind,
      path,
      target,
      bytes: size,
    });
  }

  #takeBody(bytes: Buffer): number {
    if (this.#state === 'meta') this.#meta.pieces.push(Buffer.from(bytes));
    else this.#visitor.onBytes(bytes);
    this.#remaining -= bytes.length;
    if (this.#remaining === 0) this.#onBodyEnd();
    return bytes.length;
  }

  #skip(available: number): number {
    const skipped = Math.min(available, this.#padding);
    this.#padding -= skipped;
    return skipped;
  }

  #onBodyEnd(): void {
    if (this.#state === 'meta')
      this.#onMeta(this.#meta.type, Buffer.concat(this.#meta.pieces).toString('utf8'));
    else this.#visitor.onEntryEnd();
    this.#state = 'header';
  }

  #onMeta(type: string, text: string): void {
    if (type === 'ExtendedHeader') {
      if (text.includes('GNU.sparse.')) throw invalid('it has sparse files: pack it without --sparse');
      this.#pax = Pax.parse(text, this.#pax);
    } else if (type === 'NextFileHasLongPath') this.#long.path = untilNul(text);
    else if (type === 'NextFileHasLongLinkpath') this.#long.target = untilNul(text);
    // What holds for all entries, a comment say, is of no use here.
  }
}

const META_TYPES: ReadonlySet<string> = new Set([
  'ExtendedHeader',
  'GlobalExtendedHeader',
  'NextFileHasLongPath',
  'NextFileHasLongLinkpath',
]);
const KINDS: ReadonlyMap<string, TarEntry['kind']> = new Map([
  ['File', 'file'],
  ['OldFile', 'file'],
  ['ContiguousFile', 'file'],
  ['Directory', 'directory'],
  ['Link', 'link'],
]);
const NAMES_OF_TYPES: ReadonlyMap<string, string> = new Map([
  ['SymbolicLink', 'a symbolic link'],
  ['CharacterDevice', 'a device'],
  ['BlockDevice', 'a device'],
  ['FIFO', 'a pipe'],
]);

function untilNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function invalid(why: string): FirError {
  return new FirError('PACK_INVALID', `can't be read: ${why}`);
}
