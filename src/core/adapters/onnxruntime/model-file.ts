import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { FirError, messageOf } from '../../errors.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { externalDataLocations } from './external-data.js';

/** The encoded value of a model that was given by path. */
export const MODEL_TYPE = 'onnxruntime.model';

/** Protobuf can't hold a message of 2 GiB, so no model file is larger. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;
const CHUNK_BYTES = 1 << 22;

interface FileIdentity {
  size: number;
  sha256: string;
}

const identities = new Map<string, { stamp: string; identity: FileIdentity; external: string[] }>();

/**
 * A model given by path, as what it is: path, size and sha256, of its side files too. A file that can't be read is
 * recorded as the path alone; the call itself will say what is wrong with it.
 */
export function identifyModel(path: string): JsonObject {
  const absolute = resolve(path);
  try {
    const { identity, external } = identify(absolute);
    const sideFiles: JsonValue[] = external.map((location) => ({
      location,
      ...hashFile(join(dirname(absolute), location)),
    }));
    return { type: MODEL_TYPE, path, resolved: absolute, ...identity, external: sideFiles };
  } catch {
    return { type: MODEL_TYPE, path, resolved: absolute, size: null, sha256: null, external: [] };
  }
}

/**
 * The path at which a replay finds a recorded model, after its content and that of its side files matched.
 * FirError MODEL_MISSING or MODEL_CHANGED.
 */
export function locateModel(node: JsonObject, mapPath: (path: string) => string): string {
  const recorded = text(node['resolved']) ?? text(node['path']);
  if (recorded === undefined) throw new FirError('VALUE_INVALID', 'the recorded model has no path');
  const path = mapPath(recorded);
  if (node['sha256'] === null) return path;
  checkFile(path, node, 'model');
  const external = Array.isArray(node['external']) ? node['external'] : [];
  for (const entry of external) {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) continue;
    const location = text(entry['location']);
    if (location === undefined || !isInside(location)) {
      throw new FirError(
        'UNSAFE_PATH',
        `the recorded model names a side file outside its directory: ${location}`,
      );
    }
    checkFile(join(dirname(path), location), entry, "model's side file");
  }
  return path;
}

function checkFile(path: string, recorded: JsonObject, what: string): void {
  let found: FileIdentity;
  try {
    found = hashFile(path);
  } catch (error) {
    throw new FirError('MODEL_MISSING', `the recorded ${what} ${path} can't be read: ${messageOf(error)}`, {
      hint: 'give its new place with --map-path old=new',
      where: path,
      cause: error,
    });
  }
  if (found.sha256 !== recorded['sha256']) {
    throw new FirError(
      'MODEL_CHANGED',
      `${what} differs from the recorded one: ${path} has sha256 ${found.sha256.slice(0, 12)}…, ` +
        `recorded ${String(recorded['sha256']).slice(0, 12)}…`,
      { hint: 'give the recorded file with --map-path old=new', where: path },
    );
  }
}

function identify(path: string): { identity: FileIdentity; external: string[] } {
  const fd = openSync(path, 'r');
  try {
    const { size, mtimeMs, ino } = fstatSync(fd);
    const stamp = `${size} ${mtimeMs} ${ino}`;
    const known = identities.get(path);
    if (known?.stamp === stamp) return known;
    if (size > MAX_MODEL_BYTES) throw new FirError('TOO_LARGE', `${path} is larger than a model can be`);
    const bytes = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; ) {
      const got = readSync(fd, bytes, at, Math.min(CHUNK_BYTES, size - at), at);
      if (got === 0) throw new Error(`${path} was cut while it was read`);
      at += got;
    }
    const identity = { size, sha256: createHash('sha256').update(bytes).digest('hex') };
    const entry = { stamp, identity, external: externalDataLocations(bytes).filter(isInside) };
    identities.set(path, entry);
    return entry;
  } finally {
    closeSync(fd);
  }
}

function hashFile(path: string): FileIdentity {
  const fd = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let size = 0;
    for (;;) {
      const got = readSync(fd, chunk, 0, chunk.length, size);
      if (got === 0) break;
      hash.update(chunk.subarray(0, got));
      size += got;
    }
    return { size, sha256: hash.digest('hex') };
  } finally {
    closeSync(fd);
  }
}

function isInside(location: string): boolean {
  return !isAbsolute(location) && !normalize(location).split(/[\\/]/).includes('..');
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
