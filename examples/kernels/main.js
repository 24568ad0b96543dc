import { Gather, saxpy, softmax } from './kernels.js';

const x = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i));
const y = new Float32Array(256).fill(1);
for (let step = 1; step <= 4; step += 1) saxpy(step / 4, x, y);

const [weights, flat] = await Promise.all([softmax(x), softmax(new Float32Array(8))]);

const gather = new Gather(16);
gather.plan([3, 1, 2]);
const first = gather.run(x);
gather.plan([0, 15]);
const second = gather.run(y);

const sum = (values) => values.reduce((a, b) => a + b, 0);
console.log(
  `saxpy ${sum(y).toFixed(3)}, softmax ${sum(weights).toFixed(3)} ${flat[0]}, ` +
    `gather ${sum(first).toFixed(3)} ${sum(second).toFixed(3)}`,
);
