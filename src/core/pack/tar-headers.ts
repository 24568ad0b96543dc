import { Header } from 'tar/header';
import { Pax } from 'tar/pax';

const BLOCK_BYTES = 512;
/** The same for all entries, and no time that a tool finds implausible: 1980-01-01. */
const MODIFIED = new Date(Date.UTC(1980, 0, 1));
const MODES = { File: 0o600, Link: 0o600, Directory: 0o700 };

export interface WrittenEntry {
  type: keyof typeof MODES;
  path: string;
  bytes: number;
  /** Of a hard link: the path of an entry before. */
  target?: string;
}

/** What stands before an entry's content: a ustar header, with one of pax before it where that can't hold everything. */
export function tarHeader({ type, path, bytes, target }: WrittenEntry): Buffer {
  const link = target === undefined ? {} : { linkpath: target };
  const header = new Header({
    type,
    path,
    ...link,
    size: bytes,
    mode: MODES[type],
    mtime: MODIFIED,
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    devmaj: 0,
    devmin: 0,
  });
  const block = Buffer.alloc(BLOCK_BYTES);
  if (!header.encode(block)) return block;
  const pax = new Pax({ path, ...link, size: bytes, mtime: MODIFIED, uid: 0, gid: 0 });
  return Buffer.concat([pax.encode(), block]);
}

/** What fills an entry's content up to whole blocks. */
export function tarPadding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What stands at the end of an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}
