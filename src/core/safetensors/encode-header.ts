import { FirError } from '../errors.js';
import { elementCount, formatSizes } from '../tensor/index.js';
import { FORMAT_DTYPES, MAX_HEADER_BYTES } from './dtypes.js';
import { quoteKey } from './quote-key.js';
import { isWellFormed } from './unicode.js';

/** A tensor to write: logical values, contiguous and little-endian, in one piece or several. */
export interface SafetensorsWrite {
  key: string;
  /** As the format names it: `F32`. */
  dtype: string;
  /** As the format counts it: `F4` in single elements. */
  shape: readonly number[];
  data: Uint8Array | readonly Uint8Array[];
}

/**
 * The first bytes of a file, up to its data, and the tensors in the order that their data follows in: by alignment of the
 * dtype, largest first, then by key, as the official implementation writes them.
 * Throws TENSOR_INVALID for tensors that no reader would take, TOO_LARGE for a header past 100 MB.
 */
export function encodeSafetensorsHeader(
  tensors: readonly SafetensorsWrite[],
  metadata?: Readonly<Record<string, string>>,
): { header: Uint8Array; ordered: SafetensorsWrite[] } {
  const ranked = tensors.map(rankTensor).sort(compareRanked);
  let text = metadata === undefined ? '{' : `{"__metadata__":${encodeMetadata(metadata)}`;
  let offset = 0;
  for (const { tensor, bytes, quotedKey } of ranked) {
    const end = offset + bytes;
    const separator = text.length > 1 ? ',' : '';
    text += `${separator}${quotedKey}:{"dtype":"${tensor.dtype}","shape":[${tensor.shape.join(',')}],"data_offsets":[${offset},${end}]}`;
    offset = end;
    if (text.length > MAX_HEADER_BYTES) throw tooLarge(tensors.length);
  }
  text += '}';
  const paddedBytes = Math.ceil(Buffer.byteLength(text) / ALIGNMENT) * ALIGNMENT;
  if (paddedBytes > MAX_HEADER_BYTES) throw tooLarge(tensors.length);
  refuseDuplicates(tensors);
  return { header: frame(text, paddedBytes), ordered: ranked.map(({ tensor }) => tensor) };
}

/** Data begins at a multiple of this, so that mapped memory can be viewed as numbers. */
const ALIGNMENT = 8;

interface RankedTensor {
  tensor: SafetensorsWrite;
  rank: number;
  bytes: number;
  quotedKey: string;
}

function rankTensor(tensor: SafetensorsWrite): RankedTensor {
  const dtype = FORMAT_DTYPES.get(tensor.dtype);
  if (dtype === undefined) throw unwritable(tensor, `dtype ${tensor.dtype} is not one of the format's`);
  if (tensor.key === '__metadata__') throw unwritable(tensor, 'the name is reserved');
  const bytes = dataBytes(tensor.data);
  if (bytes * 8 !== elementCount(tensor.shape) * dtype.bits) {
    throw unwritable(
      tensor,
      `shape ${formatSizes(tensor.shape)} of ${tensor.dtype} does not take ${bytes} bytes`,
    );
  }
  return { tensor, rank: dtype.rank, bytes, quotedKey: encodeText(tensor.key) };
}

function dataBytes(data: Uint8Array | readonly Uint8Array[]): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  return data.reduce((sum, piece) => sum + piece.byteLength, 0);
}

function compareRanked(left: RankedTensor, right: RankedTensor): number {
  return right.rank - left.rank || compareKeys(left.tensor.key, right.tensor.key);
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** Order of the keys' UTF-8 bytes, which for surrogate pairs is not that of JavaScript's comparison. */
function compareKeys(left: string, right: string): number {
  if (BEYOND_ASCII.test(left) || BEYOND_ASCII.test(right)) {
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${encodeText(key)}:${encodeText(value)}`);
  return `{${pairs.join(',')}}`;
}

/** Half a surrogate pair, which JSON.stringify would escape, makes readers refuse the whole file. */
function encodeText(text: string): string {
  const json = JSON.stringify(text);
  if (json.includes('\\ud') && !isWellFormed(text)) {
    throw new FirError('TENSOR_INVALID', `can not write ${quoteKey(text)}: it is not well-formed Unicode`);
  }
  return json;
}

function refuseDuplicates(tensors: readonly SafetensorsWrite[]): void {
  const seen = new Set<string>();
  for (const tensor of tensors) {
    if (seen.has(tensor.key)) throw unwritable(tensor, 'duplicate tensor name');
    seen.add(tensor.key);
  }
}

function frame(text: string, paddedBytes: number): Uint8Array {
  const header = Buffer.allocUnsafe(8 + paddedBytes);
  header.writeUInt32LE(paddedBytes, 0);
  header.writeUInt32LE(0, 4);
  header.fill(' ', 8 + header.write(text, 8));
  return header;
}

function tooLarge(tensors: number): FirError {
  return new FirError(
    'TOO_LARGE',
    `${tensors} tensors need a header of more than ${MAX_HEADER_BYTES} bytes`,
    {
      hint: 'spread the tensors over several files',
    },
  );
}

function unwritable(tensor: SafetensorsWrite, fault: string): FirError {
  return new FirError('TENSOR_INVALID', `can not write tensor ${quoteKey(tensor.key)}: ${fault}`);
}
