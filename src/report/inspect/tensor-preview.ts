import { formatNumber } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import { decodeToBigInt, decodeToFloat64, dtypeOf } from '../../core/dtype/index.js';
import { FirError } from '../../core/errors.js';
import type { StoredTensor } from '../../core/session/index.js';

const SHOWN_VALUES = 8;
const LONGEST_STRING = 40;
const PREVIEW_BYTES = 128;

/** The first values of a recorded tensor, or why they can't be had. Printable. */
export function previewTensor(open: () => StoredTensor): string {
  try {
    const tensor = open();
    if (tensor.redacted === true) return 'redacted';
    const { values, isAll } = firstValues(tensor);
    return `[${values.join(', ')}${isAll ? '' : ', …'}]`;
  } catch (error) {
    if (error instanceof FirError) return printable(error.message);
    throw error;
  }
}

function firstValues(tensor: StoredTensor): { values: string[]; isAll: boolean } {
  if (tensor.dtype === 'string') {
    const strings = tensor.strings?.() ?? [];
    return {
      values: strings
        .slice(0, SHOWN_VALUES)
        .map((text) => printable(JSON.stringify(text.slice(0, LONGEST_STRING)))),
      isAll: strings.length <= SHOWN_VALUES,
    };
  }
  const [bytes = new Uint8Array()] = tensor.chunks(PREVIEW_BYTES);
  const all = decoded(tensor, bytes);
  return {
    values: all.slice(0, SHOWN_VALUES),
    isAll: all.length <= SHOWN_VALUES && bytes.length === tensor.byteLength,
  };
}

function decoded({ dtype }: StoredTensor, bytes: Uint8Array): string[] {
  if (dtype === 'int64' || dtype === 'uint64') return Array.from(decodeToBigInt(dtype, bytes), String);
  const values = decodeToFloat64(dtype, bytes);
  if (dtype === 'bool') return Array.from(values, (value) => String(value !== 0));
  if (dtypeOf(dtype).kind !== 'complex') return Array.from(values, formatNumber);
  return Array.from({ length: values.length / 2 }, (_, index) => {
    const [real = 0, imaginary = 0] = values.subarray(2 * index, 2 * index + 2);
    return `${formatNumber(real)}${imaginary < 0 ? '-' : '+'}${formatNumber(Math.abs(imaginary))}i`;
  });
}
