import { FirError } from '../errors.js';

/** Sizes of a tensor, `*` for any one; empty for a scalar. */
export type ShapePattern = readonly (number | '*')[];

const SIZE = /^\d{1,15}$/;

/** `128,*,64`, also in brackets; `[]` is a scalar. FirError USAGE. */
export function parseShape(text: string): ShapePattern {
  const inner = /^\[(.*)\]$/s.exec(text.trim())?.[1] ?? text;
  if (inner.trim() === '' && inner !== text) return [];
  return inner.split(',').map((part) => {
    const size = part.trim();
    if (size === '*') return '*';
    if (SIZE.test(size)) return Number(size);
    throw new FirError('USAGE', `"${size}" in the shape "${text}" is neither a size nor *`, {
      hint: "write it like --shape '128,*,64', or --shape '[]' for a scalar",
    });
  });
}

export function matchesShape(pattern: ShapePattern, shape: readonly number[]): boolean {
  return (
    pattern.length === shape.length && pattern.every((size, index) => size === '*' || size === shape[index])
  );
}
