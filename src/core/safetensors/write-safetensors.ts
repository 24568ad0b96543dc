import { writeFileBeside } from '../io/write-beside.js';
import { encodeSafetensorsHeader, type SafetensorsWrite } from './encode-header.js';

/**
 * Writes a file of mode 0600 beside `path` and renames it there once it is complete. Returns its bytes.
 * Throws as encodeSafetensorsHeader does, and the file system's own errors.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly SafetensorsWrite[],
  metadata?: Readonly<Record<string, string>>,
): number {
  const { header, ordered } = encodeSafetensorsHeader(tensors, metadata);
  const pieces = [header, ...ordered.flatMap(({ data }) => data)];
  writeFileBeside(path, pieces);
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}
