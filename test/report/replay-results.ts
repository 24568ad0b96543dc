import type { ReplayBegin } from '../../src/core/model/reporter.js';
import type { CallResult, OutputComparison, ReplaySummary } from '../../src/core/model/verdict.js';
import type { Sink } from '../../src/report/sink.js';

export const BEGIN: ReplayBegin = { session: 'fir_dumps', device: 'cpu', preset: 'default', calls: 3 };

export const HOSTILE = 'gemm\u001b[2J\u202e"<&>]]>\n::error::forged\r\u0000\ud800%25';

/** A sink that keeps what is written to it. */
export function textSink(): Sink & { text: string } {
  return {
    text: '',
    async write(text) {
      this.text += text;
    },
    async flush() {},
    async close() {},
  };
}

export function resultOf(call: number, result: Partial<CallResult> = {}): CallResult {
  return {
    call,
    dump: `dump_${call}`,
    function: 'gemm',
    pid: 4242,
    verdict: 'pass',
    durationUs: 1500,
    outputs: [passing()],
    ...result,
  };
}

export function passing(): OutputComparison {
  return {
    key: 'result',
    kind: 'tensor',
    verdict: 'pass',
    dtype: 'float32',
    shape: [4],
    elements: 4,
    mismatched: 0,
  };
}

export function mismatching(): OutputComparison {
  return {
    key: 'result',
    kind: 'tensor',
    verdict: 'mismatch',
    dtype: 'float32',
    shape: [2, 256],
    elements: 512,
    mismatched: 3,
    nan: 1,
    inf: 0,
    maxAbs: { value: 0.125, index: [1, 7], actual: 1.125, expected: 1 },
    maxRel: { value: Number.POSITIVE_INFINITY, index: [0, 0], actual: 1e-7, expected: 0 },
    rmse: 0.0055,
    cosine: 0.9999,
    maxUlp: 1048576,
    tolerance: { rtol: 1.3e-6, atol: 1e-5, source: 'preset default (float32)' },
  };
}

export function summaryOf(summary: Partial<ReplaySummary> = {}): ReplaySummary {
  return {
    calls: 0,
    pass: 0,
    ran: 0,
    mismatch: 0,
    error: 0,
    crashed: 0,
    timeout: 0,
    unstable: 0,
    unchecked: 0,
    skipped: 0,
    reproduced: 0,
    outputsCompared: 0,
    exitCode: 0,
    ...summary,
  };
}
