import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineBuffer } from '../../src/preload/line-buffer.js';

it('gives the UTF-8 of any line with a newline, whatever came before', () => {
  const buffer = new LineBuffer();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(3000), (text, repeats) => {
      const line = text.repeat(1 + (repeats % 40));
      expect(Buffer.compare(buffer.encode(line), Buffer.from(`${line}\n`))).toBe(0);
    }),
  );
});

it('takes lines that are longer than what it keeps', () => {
  const buffer = new LineBuffer();
  const long = '€'.repeat(2_000_000);
  expect(buffer.encode(long).length).toBe(6_000_001);
  expect(Buffer.from(buffer.encode('short')).toString()).toBe('short\n');
});
