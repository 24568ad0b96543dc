const SCALE = 2 ** 600;
const LARGE = 2 ** 500;
const SMALL = 2 ** -500;

/**
 * `sqrt(re * re + im * im)` in float64, every operation rounded once. Where the larger part is above 2^500 or below
 * 2^-500 both are first scaled by 2^-600 or 2^600 and the root is scaled back, so that squares neither overflow
 * nor vanish. Unlike Math.hypot this gives the same bits everywhere. Finite parts may have an infinite modulus.
 */
export function modulus(re: number, im: number): number {
  const larger = Math.max(Math.abs(re), Math.abs(im));
  if (larger > LARGE) return root(re / SCALE, im / SCALE) * SCALE;
  if (larger < SMALL) return root(re * SCALE, im * SCALE) / SCALE;
  return root(re, im);
}

function root(re: number, im: number): number {
  return Math.sqrt(re * re + im * im);
}
