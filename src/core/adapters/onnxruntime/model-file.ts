import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { FirError, messageOf } from '../../errors.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { type FileIdentity, identifyFile, sideFilesOf } from './file-identity.js';

/** The encoded value of a model that was given by path. */
export const MODEL_TYPE = 'onnxruntime.model';

/** Content that the recorder could not read: the call itself said what was wrong with it. */
const UNREADABLE = { size: null, sha256: null };

/** A model given by path, as what it is: path, size and sha256, of its side files too. */
export function identifyModel(path: string): JsonObject {
  const resolved = resolve(path);
  const identity = identityOrNull(resolved);
  const external = identity.sha256 === null ? [] : identifySideFiles(resolved);
  return { type: MODEL_TYPE, path, resolved, ...identity, external };
}

function identifySideFiles(model: string): JsonObject[] {
  let locations: string[];
  try {
    locations = sideFilesOf(model);
  } catch {
    return [];
  }
  return locations
    .filter(isInside)
    .map((location) => ({ location, ...identityOrNull(join(dirname(model), location)) }));
}

function identityOrNull(path: string): FileIdentity | typeof UNREADABLE {
  try {
    return identifyFile(path);
  } catch {
    return UNREADABLE;
  }
}

/** A recorded model whose content was found to be the recorded one. */
export class LocatedModel {
  /** What the runtime is given. */
  readonly path: string;
  readonly #found: string;
  readonly #recorded: string;
  readonly #resolved: string;

  constructor(found: string, recorded: string, resolved: string) {
    // The runtime repeats the path in its errors: the same file goes by the same name.
    this.path = resolve(recorded) === found ? recorded : found;
    this.#found = found;
    this.#recorded = recorded;
    this.#resolved = resolved;
  }

  /** An error of the runtime as it reads where the model was recorded, so that it can be told from another. */
  withRecordedPath(error: unknown): unknown {
    if (error instanceof Error && this.path !== this.#recorded) {
      error.message = error.message
        .replaceAll(this.#found, () => this.#recorded)
        .replaceAll(dirname(this.#found), () => dirname(this.#resolved));
    }
    return error;
  }
}

/**
 * Finds a recorded model, its content and that of its side files checked; one that could not be read when it was
 * recorded must still be unreadable. FirError MODEL_MISSING, MODEL_CHANGED, UNSAFE_PATH, VALUE_INVALID, NOT_REPLAYABLE.
 */
export function locateModel(node: JsonObject, mapPath: (path: string) => string): LocatedModel {
  const recorded = textOf(node, 'path');
  const resolved = textOf(node, 'resolved');
  if (/^[a-z][a-z0-9+.-]+:/i.test(recorded)) {
    throw new FirError('NOT_REPLAYABLE', `the model was not loaded from a file: ${recorded}`);
  }
  const path = resolve(mapPath(resolved));
  checkFile(path, node, 'model');
  const external = node['external'];
  if (!Array.isArray(external)) throw invalid('external');
  for (const entry of external) {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) throw invalid('external');
    const location = textOf(entry, 'location');
    if (!isInside(location)) {
      throw new FirError(
        'UNSAFE_PATH',
        `the recorded model names a side file outside its directory: ${location}`,
      );
    }
    checkFile(join(dirname(path), location), entry, "model's side file");
  }
  return new LocatedModel(path, recorded, resolved);
}

function checkFile(path: string, recorded: JsonObject, what: string): void {
  const { size, sha256 } = recorded;
  if (size === null && sha256 === null) {
    if (identityOrNull(path).sha256 === null) return;
    throw changed(what, path, 'it could not be read then');
  }
  if (typeof size !== 'number' || typeof sha256 !== 'string') throw invalid('size and sha256');
  let found: FileIdentity;
  try {
    found = identifyFile(path, size);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    throw new FirError('MODEL_MISSING', `the recorded ${what} can't be read: ${why}`, {
      hint: 'give its new place with --map-path old=new',
      where: path,
    });
  }
  if (found.size !== size) throw changed(what, path, `it has ${found.size} bytes, recorded ${size}`);
  if (found.sha256 !== sha256) {
    throw changed(what, path, `its sha256 is ${shortened(found.sha256)}, recorded ${shortened(sha256)}`);
  }
}

function changed(what: string, path: string, how: string): FirError {
  return new FirError('MODEL_CHANGED', `${what} differs from the recorded one: ${how}`, {
    hint: 'give the recorded file with --map-path old=new',
    where: path,
  });
}

function invalid(field: string): FirError {
  return new FirError('VALUE_INVALID', `the record of the model has no valid ${field}`);
}

function shortened(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}

function isInside(location: string): boolean {
  return !isAbsolute(location) && !normalize(location).split(/[\\/]/).includes('..');
}

function textOf(node: JsonObject, field: string): string {
  const value: JsonValue | undefined = Object.hasOwn(node, field) ? node[field] : undefined;
  if (typeof value !== 'string') throw invalid(field);
  return value;
}
