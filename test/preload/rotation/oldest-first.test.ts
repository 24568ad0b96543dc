import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OldestFirst } from '../../../src/preload/rotation/oldest-first.js';

it('gives the lowest sequence first, whatever is added in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat())), (steps) => {
      const queue = new OldestFirst<{ sequence: number }>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          expect(queue.peek()?.sequence).toBe(model[0]);
          expect(queue.pop()?.sequence).toBe(model.shift());
        } else {
          queue.push({ sequence: step });
          model.push(step);
          model.sort((a, b) => a - b);
        }
      }
    }),
  );
});
