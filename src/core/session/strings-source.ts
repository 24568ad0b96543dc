import { FirError } from '../errors.js';
import type { SafetensorsFile } from '../safetensors/index.js';
import { elementCount } from '../tensor/index.js';
import { checkEntry } from './stored-entries.js';
import { sourceFromEntry, type ValueSource } from './value-source.js';

export interface StringsSource extends ValueSource {
  strings(): string[];
}

/** Strings stand as `<key>#bytes`, their UTF-8 one after the other, and `<key>#offsets`, where each begins and the end. */
export function sourceFromStrings(
  file: SafetensorsFile,
  key: string,
  shape: readonly number[],
): StringsSource {
  const count = elementCount(shape);
  const bytesKey = `${key}#bytes`;
  const offsetsKey = `${key}#offsets`;
  const bytesShape = file.entries.get(bytesKey)?.shape ?? [];
  const { begin, end } = checkEntry(file, bytesKey, { dtype: 'U8', shape: [bytesShape[0] ?? 0] });
  checkEntry(file, offsetsKey, { dtype: 'I64', shape: [count + 1] });
  return {
    ...sourceFromEntry(file, bytesKey, end - begin),
    strings: () => splitStrings(file, file.read(bytesKey), file.read(offsetsKey), key),
  };
}

function splitStrings(
  file: SafetensorsFile,
  bytes: Uint8Array,
  offsetBytes: Uint8Array,
  key: string,
): string[] {
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
        {
          where: file.path,
        },
      );
    }
    if (at > 0) strings.push(text.toString('utf8', begin, end));
    begin = end;
  }
  if (begin !== bytes.length) {
    throw new FirError('TENSOR_INVALID', `the strings of ${JSON.stringify(key)} end before their bytes do`, {
      where: file.path,
    });
  }
  return strings;
}
