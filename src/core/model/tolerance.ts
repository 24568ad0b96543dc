export type PresetName = 'default' | 'flashinfer' | 'exact';
export type NanRule = 'equal' | 'unequal';

/** `|actual - expected| <= atol + rtol * |expected|`, for at least `ratio` of the elements. */
export interface Tolerance {
  rtol: number;
  atol: number;
  /** Of elements that must match, 0 to 1; absent means all. */
  ratio?: number;
  /** Where it came from: `preset default (float32)`, `--tolerance 'mm*'`, `exact (integer)`. */
  source: string;
}
