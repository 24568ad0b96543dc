import { FirError } from '../errors.js';
import { elementCount } from '../tensor/index.js';
import type { ValueFile } from './value-file.js';
import type { ValueSource } from './value-source.js';

export interface StringsSource extends ValueSource {
  strings(): string[];
}

/** Strings stand as `<key>#bytes`, their UTF-8 one after the other, and `<key>#offsets`, where each begins and the end. */
export function sourceFromStrings(file: ValueFile, key: string, shape: readonly number[]): StringsSource {
  const bytes = file.flat(`${key}#bytes`, 'uint8', undefined);
  const offsets = file.flat(`${key}#offsets`, 'int64', elementCount(shape) + 1);
  return { ...bytes, strings: () => splitStrings(file.path, bytes.read(), offsets.read(), key) };
}

function splitStrings(path: string, bytes: Uint8Array, offsetBytes: Uint8Array, key: string): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const offsets = new DataView(offsetBytes.buffer, offsetBytes.byteOffset, offsetBytes.length);
  const strings: string[] = [];
  let begin = 0;
  for (let at = 0; at < offsetBytes.length; at += 8) {
    const end = Number(offsets.getBigInt64(at, true));
    if (at === 0 ? end !== 0 : end < begin || end > bytes.length) {
      throw new FirError(
        'TENSOR_INVALID',
        `the offsets of the strings of ${JSON.stringify(key)} are out of order`,
        { where: path },
      );
    }
    if (at > 0) strings.push(text.toString('utf8', begin, end));
    begin = end;
  }
  if (begin !== bytes.length) {
    throw new FirError('TENSOR_INVALID', `the strings of ${JSON.stringify(key)} end before their bytes do`, {
      where: path,
    });
  }
  return strings;
}
