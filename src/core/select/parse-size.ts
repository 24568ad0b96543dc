import { FirError } from '../errors.js';

const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?$/i;
const POWERS = ['k', 'm', 'g', 't'];

/** Bytes from `4096`, `64KiB`, `1.5GB`: units of 1024 with an `i`, of 1000 without. FirError USAGE. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  const [, digits = '', unit = '', binary = ''] = match ?? [];
  const power = unit === '' ? 0 : POWERS.indexOf(unit.toLowerCase()) + 1;
  const bytes = Math.round(Number(digits) * (binary === '' ? 1000 : 1024) ** power);
  if (match === null || !Number.isSafeInteger(bytes)) {
    throw new FirError('USAGE', `"${text}" is no size`, { hint: 'write it like 4096, 64KiB or 1.5GB' });
  }
  return bytes;
}
