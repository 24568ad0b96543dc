/**
 * A voice-activity detector: the Silero model run by onnxruntime-node over a clip, frame by frame, with its recurrent
 * state fed back. Nothing in here knows about fir.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import ort from 'onnxruntime-node';
import { makeClip } from './clip.js';

const FRAME = 512;
const SAMPLE_RATE = 16000n;

const packageFile = createRequire(import.meta.url).resolve('@ricky0123/vad-web/package.json');
const model = process.argv[2] ?? join(dirname(packageFile), 'dist', 'silero_vad_v5.onnx');
const session = await ort.InferenceSession.create(model);

const clip = makeClip();
const rate = new ort.Tensor('int64', BigInt64Array.of(SAMPLE_RATE), []);
let state = new ort.Tensor('float32', new Float32Array(2 * 128), [2, 1, 128]);
let timeline = '';
for (let start = 0; start + FRAME <= clip.length; start += FRAME) {
  const input = new ort.Tensor('float32', clip.slice(start, start + FRAME), [1, FRAME]);
  const result = await session.run({ input, state, sr: rate });
  state = result.stateN;
  const probability = result.output.data[0];
  timeline += probability > 0.5 ? '#' : '.';
}
console.log(`speech: ${timeline}`);
