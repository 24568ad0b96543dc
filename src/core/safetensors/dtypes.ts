/**
 * The dtypes of the official implementation (0.8) with their bits, in its order of increasing alignment, which is also
 * the order that files are laid out by, last first.
 */
const BITS_BY_DTYPE: readonly (readonly [name: string, bits: number])[] = [
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
];

/** A dtype of the format: bits of one element and its rank in the order of a file. */
export interface FormatDtype {
  bits: number;
  rank: number;
}

export const FORMAT_DTYPES: ReadonlyMap<string, FormatDtype> = new Map(
  BITS_BY_DTYPE.map(([name, bits], rank) => [name, { bits, rank }]),
);

/** Headers past this size are refused, in reading and in writing. */
export const MAX_HEADER_BYTES = 100_000_000;
