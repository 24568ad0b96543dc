import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { makeTempDir } from '../../support/temp-dir.js';

const CALLS = 100_000;

/** Two records a call, of the size that recorders write, and no dumps. */
function writeLargeIndex(path: string): void {
  const fd = openSync(path, 'w');
  let lines = '';
  for (let call = 1; call <= CALLS; call++) {
    for (const status of ['inputs_saved', 'completed']) lines += `${recordLine(call, status)}\n`;
    if (lines.length > 4_000_000 || call === CALLS) {
      writeSync(fd, lines);
      lines = '';
    }
  }
  closeSync(fd);
}

function recordLine(call: number, status: string): string {
  const tensor = { shape: [1, 512], dtype: 'torch.float32', stride: [512, 1], device: 'cpu' };
  return JSON.stringify({
    function_name: 'InferenceSession.run',
    module: 'onnxruntime-node',
    call_sequence: call,
    timestamp: '20261124_143217_012',
    process_id: 4242,
    self_id: 1,
    input_metadata: { arg_0: { type: 'torch.Tensor', ...tensor, tensor_key: 'arg_0' } },
    output_metadata: {},
    tensor_info: { input_tensor_keys: ['arg_0'], output_tensor_keys: ['result'] },
    tensor_details: { arg_0: tensor, result: tensor },
    tensor_format: 'safetensors',
    execution_status: status,
    dump_dir: `/home/user/app/fir_dumps/20261124_143217_012_pid4242_InferenceSession.run_call${call}`,
    fir: {
      version: 1,
      process_uid: '0123456789abcdef',
      sequence: call,
      parent: null,
      started_at: '2026-11-24T14:32:17.012345Z',
      duration_us: 1000 + (call % 777),
      kind: 'method',
      tensors: {},
    },
  });
}

describe('a session of 200,000 records', () => {
  it('is opened in less than 150 MB, and a walk keeps nothing of it', { timeout: 60_000 }, () => {
    const dir = makeTempDir();
    writeLargeIndex(join(dir, 'session.jsonl'));
    const source = new URL('../../../src/core/', import.meta.url).pathname;
    const program = join(dir, 'program.mjs');
    writeFileSync(
      join(dir, 'program.ts'),
      `import { openSession } from '${source}session/index.js';
       import { inspectSession } from '${source}inspect/index.js';
       const session = openSession('${dir}');
       const opened = process.resourceUsage().maxRSS / 1024;
       const { calls, summary } = inspectSession(session);
       gc();
       const before = process.memoryUsage().heapUsed;
       let walked = 0;
       for (const call of calls) walked += call.durationUs > 0 ? 1 : 0;
       gc();
       const kept = (process.memoryUsage().heapUsed - before) / 2 ** 20;
       const peak = process.resourceUsage().maxRSS / 1024;
       const functions = summary().byFunction;
       console.log(JSON.stringify({ records: session.records, walked, opened, kept, peak, functions }));`,
    );
    const build = { bundle: true, platform: 'node', format: 'esm', outfile: program } as const;
    buildSync({ ...build, entryPoints: [join(dir, 'program.ts')] });
    const result = JSON.parse(execFileSync(process.execPath, ['--expose-gc', program], { encoding: 'utf8' }));
    expect([result.records, result.walked]).toEqual([2 * CALLS, CALLS]);
    expect(result.functions).toEqual([expect.objectContaining({ calls: CALLS, failed: 0, unfinished: 0 })]);
    expect(result.opened).toBeLessThan(150);
    // A walk makes garbage, of which the collector takes its time to let go, but must keep nothing.
    expect(result.kept).toBeLessThan(2);
    expect(result.peak).toBeLessThan(220);
  });
});
