import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressionOf } from '../../src/core/pack/compression.js';
import { PackFile } from '../../src/core/pack/pack-session.js';
import { type UnpackLimits, unpackSession } from '../../src/core/pack/unpack-session.js';
import { makeTempDir } from './temp-dir.js';

/** Packs a session directory; gives the pack's bytes. */
export async function packTo(path: string, session: string): Promise<Buffer> {
  const file = PackFile.begin(path, session);
  try {
    await file.write(session);
  } finally {
    file.discard();
  }
  return readFileSync(path);
}

/** Unpacks to a new directory, and gives it. */
export async function unpack(pack: string, limits?: UnpackLimits): Promise<string> {
  const compression = compressionOf(pack);
  if (compression === undefined) throw new Error(`${pack} is no pack`);
  const root = join(makeTempDir(), 'unpacked');
  await unpackSession(pack, compression, root, limits === undefined ? {} : { limits });
  return root;
}

/** The same of a pack's bytes. */
export async function unpackBytes(bytes: Uint8Array, limits?: UnpackLimits): Promise<string> {
  const pack = join(makeTempDir(), 'bytes.pack');
  writeFileSync(pack, bytes);
  return unpack(pack, limits);
}
