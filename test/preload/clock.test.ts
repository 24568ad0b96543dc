import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compactFromMicros, isoFromMicros, nowMicros } from '../../src/preload/clock.js';

it('writes any time as Date does, with microseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e15 }), (micros) => {
      const iso = new Date(Math.floor(micros / 1000)).toISOString();
      const digits = String(micros % 1000).padStart(3, '0');
      expect(isoFromMicros(micros)).toBe(`${iso.slice(0, -1)}${digits}Z`);
      const compact = iso.replaceAll(/[-:Z]/g, '').replace('T', '_').replace('.', '_');
      expect(compactFromMicros(micros)).toBe(compact);
    }),
  );
});

it('is the time, and never steps back', () => {
  const times = Array.from({ length: 1000 }, nowMicros);
  expect(Math.abs((times[0] ?? 0) / 1000 - Date.now())).toBeLessThan(60_000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
