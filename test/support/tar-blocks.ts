// Tar archives by hand, so that they can hold what no tool writes.
import { gzipSync } from 'node:zlib';

export interface TarFields {
  path: string;
  /** One character: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 directory, 6 pipe, x, g, L, K. */
  type?: string;
  content?: Uint8Array | string;
  target?: string;
  /** What the header claims; that of the content by default. */
  size?: number | string;
  checksum?: number;
}

const BLOCK = 512;

/** A header and its content, padded. */
export function tarEntry({ path, type = '0', content = '', target = '', size, checksum }: TarFields): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0, 100);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  writeSize(header, size ?? body.length);
  header.write('00000000000\0', 136);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write('ustar\0', 257);
  header.write('00', 263);
  header.fill(' ', 148, 156);
  const sum = checksum ?? header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

/** Numbers of more than eleven octal digits are written as GNU tar does. */
function writeSize(header: Buffer, size: number | string): void {
  if (typeof size === 'string') header.write(size, 124);
  else if (size < 8 ** 11) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
}

/** Pax fields of the entry that follows. */
export function paxEntry(fields: Record<string, string>, type = 'x'): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => {
    const rest = ` ${name}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    const length = [1, 2, 3, 4, 5, 6, 7]
      .map((digits) => bytes + digits)
      .find((total) => bytes + String(total).length === total);
    return `${length}${rest}`;
  });
  return tarEntry({ path: 'PaxHeader', type, content: lines.join('') });
}

/** The entries with the two empty blocks of an archive's end. */
export function tarOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

export function gzippedTar(entries: readonly Buffer[]): Buffer {
  return gzipSync(tarOf(entries));
}
