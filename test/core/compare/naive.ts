/** Element-by-element comparison, written as plainly as can be and apart from the code that it checks. */
import type { DtypeName } from '../../../src/core/model/dtype.js';

export interface Format {
  dtype: DtypeName;
  bytes: number;
  read(view: DataView, at: number): number;
  /** Place among the representable values; only for floats. */
  place?(view: DataView, at: number): bigint;
}

function place(bits: bigint, width: bigint): bigint {
  const sign = 1n << (width - 1n);
  return bits >= sign ? -(bits - sign) : bits;
}

function readSmallFloat(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

export const FORMATS: Format[] = [
  {
    dtype: 'float64',
    bytes: 8,
    read: (view, at) => view.getFloat64(at, true),
    place: (view, at) => place(view.getBigUint64(at, true), 64n),
  },
  {
    dtype: 'float32',
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    place: (view, at) => place(BigInt(view.getUint32(at, true)), 32n),
  },
  {
    dtype: 'float16',
    bytes: 2,
    read: (view, at) => readSmallFloat(view.getUint16(at, true), 5, 10),
    place: (view, at) => place(BigInt(view.getUint16(at, true)), 16n),
  },
  {
    dtype: 'bfloat16',
    bytes: 2,
    read: (view, at) => readSmallFloat(view.getUint16(at, true), 8, 7),
    place: (view, at) => place(BigInt(view.getUint16(at, true)), 16n),
  },
  {
    dtype: 'float8_e5m2',
    bytes: 1,
    read: (view, at) => readSmallFloat(view.getUint8(at), 5, 2),
    place: (view, at) => place(BigInt(view.getUint8(at)), 8n),
  },
  { dtype: 'int32', bytes: 4, read: (view, at) => view.getInt32(at, true) },
  { dtype: 'uint32', bytes: 4, read: (view, at) => view.getUint32(at, true) },
  { dtype: 'int16', bytes: 2, read: (view, at) => view.getInt16(at, true) },
  { dtype: 'uint16', bytes: 2, read: (view, at) => view.getUint16(at, true) },
  { dtype: 'int8', bytes: 1, read: (view, at) => view.getInt8(at) },
  { dtype: 'uint8', bytes: 1, read: (view, at) => view.getUint8(at) },
];

export interface NaiveFigures {
  mismatched: number;
  nan: number;
  inf: number;
  maxAbs: { value: number; at: number } | undefined;
  maxRel: { value: number; at: number } | undefined;
  rmse: number | undefined;
  cosine: number | undefined;
  maxUlp: number | undefined;
}

export function compareNaively(
  format: Format,
  actual: Uint8Array,
  expected: Uint8Array,
  rule: { rtol: number; atol: number; nan: 'equal' | 'unequal' },
): NaiveFigures {
  const views = [actual, expected].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  const [a, e] = views as [DataView, DataView];
  const elements = expected.length / format.bytes;
  const figures = { mismatched: 0, nan: 0, inf: 0, maxUlp: 0 };
  const pairs: { a: number; e: number; at: number }[] = [];
  for (let i = 0; i < elements; i++) {
    const at = i * format.bytes;
    const pair = { a: format.read(a, at), e: format.read(e, at), at: i };
    const both = [pair.a, pair.e];
    if (both.some(Number.isNaN)) figures.nan++;
    if (both.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) figures.inf++;
    let matches: boolean;
    if (both.every(Number.isFinite)) {
      pairs.push(pair);
      const difference = Math.abs(pair.a - pair.e);
      matches = Number.isFinite(difference) && difference <= rule.atol + rule.rtol * Math.abs(pair.e);
      if (format.place) {
        const steps = format.place(a, at) - format.place(e, at);
        figures.maxUlp = Math.max(figures.maxUlp, Number(steps < 0n ? -steps : steps));
      }
    } else if (both.every(Number.isNaN)) {
      matches = rule.nan === 'equal';
    } else {
      matches = pair.a === pair.e;
    }
    if (!matches) figures.mismatched++;
  }
  const maxAbs = greatest(pairs.map(({ a, e, at }) => ({ value: Math.abs(a - e), at })));
  const nonZero = pairs.filter(({ e }) => e !== 0);
  const maxRel = greatest(nonZero.map(({ a, e, at }) => ({ value: Math.abs(a - e) / Math.abs(e), at })));
  return {
    ...figures,
    maxAbs,
    maxRel,
    rmse: pairs.length === 0 ? undefined : rms(pairs.map(({ a, e }) => a - e)),
    cosine: pairs.length === 0 ? undefined : cosineOf(pairs),
    maxUlp: format.place && pairs.length > 0 ? figures.maxUlp : undefined,
  };
}

function greatest(candidates: { value: number; at: number }[]): { value: number; at: number } | undefined {
  let best = candidates[0];
  for (const candidate of candidates)
    if (best === undefined || candidate.value > best.value) best = candidate;
  return best;
}

/** Root of the mean square; dividing by the largest first keeps squares in range. */
function rms(values: number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0 || largest === Number.POSITIVE_INFINITY) return largest;
  return (
    largest * Math.sqrt(values.reduce((total, value) => total + (value / largest) ** 2, 0) / values.length)
  );
}

function cosineOf(pairs: { a: number; e: number }[]): number {
  const [actual, expected] = [rms(pairs.map(({ a }) => a)), rms(pairs.map(({ e }) => e))];
  if (actual === 0 || expected === 0) return actual === expected ? 1 : 0;
  return pairs.reduce((total, { a, e }) => total + (a / actual) * (e / expected), 0) / pairs.length;
}
