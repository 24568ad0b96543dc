/** A program's own kernels, made recordable. Without `fir capture` these are the plain functions. */
import { recordable } from 'fir-recorder';

/** In place: y += a * x. Returns nothing; what it does is in `y`. */
export const saxpy = recordable(
  function saxpy(a, x, y) {
    for (let i = 0; i < y.length; i += 1) y[i] += a * x[i];
  },
  { roles: { arg_1: 'in', arg_2: 'inout' } },
);

/** Asynchronous: a numerically stable softmax. */
export const softmax = recordable(async function softmax(logits) {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  await new Promise((resolve) => setImmediate(resolve));
  const exponentials = logits.map((value) => Math.exp(value - max));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
});

/** Stateful: `plan` decides the layout that `run` uses. */
export const Gather = recordable.class(
  class Gather {
    #rows = new Int32Array(0);

    constructor(width) {
      this.width = width;
    }

    plan(rows) {
      this.#rows = Int32Array.from(rows);
    }

    run(table) {
      const out = new Float32Array(this.#rows.length * this.width);
      this.#rows.forEach((row, i) => {
        out.set(table.subarray(row * this.width, (row + 1) * this.width), i * this.width);
      });
      return out;
    }
  },
);
