import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { nodeUnderTest, type ProcessResult, runProcess, temporaryDirectory } from '../support/fir.js';
import { addModel, onnxModel } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { captureProgram, program, readCaptured } from './captured.js';

function makePlace(): { model: string; session: string } {
  const directory = temporaryDirectory();
  const model = join(directory, 'model.onnx');
  writeFileSync(model, addModel(2, Float32Array.of(10, 20)));
  return { model, session: join(directory, 'session') };
}

/** Ways in which the program may end by itself: the runtime aborts where a thread is ended during a run, or not. */
function endedByItself({ code, signal, stdout }: ProcessResult): boolean {
  return signal === 'SIGABRT' || (code === 0 && stdout === 'terminated\n');
}

describe('worker threads', () => {
  it('with sessions of their own are recorded as processes of their own, and replayed', async () => {
    const { model, session } = makePlace();
    const bare = await runProcess(nodeUnderTest, [program('ort-workers.mjs'), model]);
    const captured = await captureProgram(session, ['ort-workers.mjs', model]);
    expect([captured.code, captured.stdout]).toEqual([0, bare.stdout]);
    const { calls, processes } = readCaptured(session);
    const uids = new Set(calls.map(({ processUid }) => processUid));
    expect([calls.length, uids.size]).toEqual([20, 5]);
    for (const uid of uids) {
      const own = calls
        .filter(({ processUid }) => processUid === uid)
        .sort((a, b) => a.fir.sequence - b.fir.sequence);
      expect(own.map(({ fir }) => fir.sequence)).toEqual([1, 2, 3, 4]);
      const threadId = processes.find(({ process_uid }) => process_uid === uid)?.thread_id;
      expect(own.slice(1).map(({ inputs }) => inputs['arg_0__value_0']?.[0])).toEqual(
        Array(3).fill(threadId),
      );
    }
    expect(new Set(processes.map(({ pid }) => pid)).size).toBe(1);
    const { code, summary } = await replayJson(session);
    expect([code, summary.pass, summary.ran]).toEqual([0, 15, 5]);
  });

  it('that are ended during a run end no worse than without', async () => {
    const { model, session } = makePlace();
    expect(
      endedByItself(await runProcess(nodeUnderTest, [program('ort-terminated-worker.cjs'), model])),
    ).toBe(true);
    expect(endedByItself(await captureProgram(session, ['ort-terminated-worker.cjs', model]))).toBe(true);
    // The thread may have been stopped anywhere, between two files of a call too.
    const statuses = openSession(session).calls.map(({ status }) => status);
    const completed = statuses.filter((status) => status === 'completed').length;
    expect(completed).toBeGreaterThan(20);
    expect(statuses.length - completed).toBeLessThanOrEqual(1);

    const { code, summary } = await replayJson(session);
    expect(code).toBe(statuses.length === completed ? 0 : 3);
    expect(summary).toMatchObject({ ran: 1, pass: completed - 1, crashed: 0, error: 0, mismatch: 0 });
  });
});

describe('a runtime that aborts', () => {
  it('leaves what came before, and costs the replay that call alone', async () => {
    const { model, session } = makePlace();
    const bad = `${model}.bad`;
    const toUint4 = { op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 21 } };
    const graph = {
      inputs: [{ name: 'x', type: 'float32' as const }],
      outputs: [{ name: 'y', type: 'uint4' as const }],
    };
    writeFileSync(bad, onnxModel({ ...graph, nodes: [toUint4] }));
    const captured = await captureProgram(session, ['ort-abort.cjs', model, bad]);
    expect([captured.signal, captured.stdout]).toEqual(['SIGABRT', 'Float32Array(2) [ 11, 22 ]\n']);
    const { code, verdicts, calls, summary } = await replayJson(session);
    expect([code, verdicts]).toEqual([1, ['1 ran', '2 ran', '3 pass', '4 crashed']]);
    expect(calls[3]).toMatchObject({ reproduced: true, reason: expect.stringMatching(/SIGABRT/) });
    expect(summary).toMatchObject({ pass: 1, crashed: 1 });
  });
});
