import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Verdict } from '../../src/core/model/verdict.js';
import { repository, temporaryDirectory } from '../support/fir.js';
import { pythonWithTorch } from '../support/python.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';

const FIXTURES = join(repository, 'test/fixtures/flashinfer');
const MODULE = 'fir_demo_kernels';
const TIMEOUT_MS = 120_000;

/** What FlashInfer's own replayer said of a call. */
interface PeerCall {
  dump: string;
  verdict: 'match' | 'mismatch' | 'execution_error' | 'load_error' | 'not_run';
  expected_outputs?: number;
}

/** What the functions add to their results: nothing, enough to be seen, and less than the tolerance. */
const DRIFTS = { none: '', drift_3: '3', 'drift_0.0005': '0.0005' } as const;
type Drift = keyof typeof DRIFTS;

let python = '';
beforeAll(async () => {
  python = await pythonWithTorch();
}, 900_000);

function replaySession(
  session: string,
  { drift = 'none', flags = [] }: { drift?: Drift; flags?: readonly string[] } = {},
): Promise<ReplayDocument> {
  const code = ['--python', python, '--pythonpath', join(FIXTURES, 'py'), '--allow', MODULE];
  return replayJson(session, [...code, '--device', 'cpu', ...flags], {
    env: { ...process.env, FIR_DEMO_DRIFT: DRIFTS[drift] },
  });
}

function peerCalls(session: string, drift: Drift): PeerCall[] {
  const { peer } = JSON.parse(readFileSync(join(FIXTURES, 'expected', `${session}.json`), 'utf8'));
  return peer.runs[drift].calls;
}

/** The name of the function and the number of the call, as dump directories end. */
function shortName(dump: string): string {
  return dump.replace(/^\d{8}_\d{6}_\d{3}_pid\d+_/, '');
}

type Difference = Verdict | Record<Drift, Verdict>;

/** Where the verdict is another one than the peer's, and right. */
const DIFFERENCES: Record<string, Record<string, Difference>> = {
  stateless_pt: {
    // NaN in the same places, which the peer never takes for equal.
    make_nan_call0001: 'pass',
    // It returns nothing, and what it did to its argument was not recorded.
    inplace_add_call0001: 'unchecked',
    // Numbers that a call returned are compared.
    mean_value_call0001: 'pass',
    drifting_mean_call0001: { none: 'pass', drift_3: 'mismatch', 'drift_0.0005': 'pass' },
    // 50000 and 50003 are two integers.
    drifting_index_call0002: { none: 'pass', drift_3: 'mismatch', 'drift_0.0005': 'pass' },
  },
  crashed_pt: {
    // Raised then and now; it never returned, and returns now.
    fail_call0001: 'error',
    'BatchDemoWrapper.run_call0001': 'error',
    hang_call0001: 'unchecked',
  },
  disk_full: {
    // Its outputs were being written when the disk was full.
    row_scale_call0003: 'unchecked',
  },
  filtered_pt: {
    'BatchDemoWrapper.run_call0001': 'skipped',
    'BatchDemoWrapper.run_call0002': 'skipped',
    'BatchDemoWrapper.run_call0003': 'skipped',
    'BatchDemoWrapper.run_call0004': 'skipped',
  },
  same_millisecond: {
    // In the order of the log.
    'BatchDemoWrapper.run_call0002': 'pass',
  },
  nested_pt: {
    // Enums, named tuples, names with two underscores and containers come back as what they were.
    nested_call0001: 'pass',
    nested_call0002: 'pass',
    sum_tree_call0007: 'pass',
    options_call0007: 'pass',
    tree_out_call0001: 'pass',
    list_out_call0001: 'pass',
    dict_out_call0001: 'pass',
    // It has no tensors, and needs none.
    options_call0011: 'pass',
    // The recorder cut their arguments.
    sum_tree_call0004: 'skipped',
    sum_tree_call0005: 'skipped',
    // Its record was never written.
    options_call0010: 'skipped',
    // The constructor of its object was not recorded.
    schedule_call0001: 'skipped',
  },
};

function expectedVerdict(session: string, call: PeerCall, drift: Drift): Verdict {
  const difference = DIFFERENCES[session]?.[shortName(call.dump)];
  if (difference !== undefined) return typeof difference === 'string' ? difference : difference[drift];
  if (call.verdict === 'mismatch') return 'mismatch';
  expect(call.verdict).toBe('match');
  const makesState = /\.(__init__|plan)_call/.test(call.dump);
  if (call.expected_outputs === 0) expect(makesState).toBe(true);
  return makesState ? 'ran' : 'pass';
}

const SESSIONS = [
  'stateless_pt',
  'stateful_pt',
  'crashed_pt',
  'torn_tail',
  'nested_pt',
  'filtered_pt',
  'same_millisecond',
  'disk_full',
  'multiprocess_pt',
];

function expectedOf(session: string, drift: Drift): [dump: string, verdict: string][] {
  return peerCalls(session, drift).map((call) => [call.dump, expectedVerdict(session, call, drift)]);
}

function verdictsOf({ calls }: ReplayDocument): Record<string, string> {
  return Object.fromEntries(calls.map(({ dump, verdict }) => [dump, verdict]));
}

test.each(SESSIONS)(
  'verdicts of %s are those of the peer but where it is wrong',
  async (session) => {
    const document = await replaySession(join(FIXTURES, session));
    expect(verdictsOf(document)).toEqual(Object.fromEntries(expectedOf(session, 'none')));
  },
  TIMEOUT_MS,
);

/** All sessions as one: what each wrote, side by side. */
function mergedSession(): string {
  const merged = temporaryDirectory();
  let index = '';
  for (const session of SESSIONS) {
    cpSync(join(FIXTURES, session), merged, { recursive: true });
    index += `${readFileSync(join(FIXTURES, session, 'session.jsonl'), 'utf8')}\n`;
  }
  writeFileSync(join(merged, 'session.jsonl'), index);
  return merged;
}

test.each(['drift_3', 'drift_0.0005'] as const)(
  'verdicts of functions that drift are those of the peer but where it is wrong: %s',
  async (drift) => {
    const document = await replaySession(mergedSession(), { drift, flags: ['--include', 'drifting*'] });
    const expected = SESSIONS.flatMap((session) => expectedOf(session, drift));
    const drifting = expected.filter(([dump]) => dump.includes('_drifting'));
    expect(drifting.length).toBeGreaterThan(15);
    expect(verdictsOf(document)).toEqual(Object.fromEntries(drifting));
  },
  TIMEOUT_MS,
);

describe('calls in CUDA graphs', () => {
  test(
    'are run once for each flush, in the order in which they were written, and the files at the root not beside them',
    async () => {
      const { calls, code } = await replaySession(join(FIXTURES, 'graph_flush'));
      const told = calls.map(({ dump, verdict }) => `${shortName(dump)} ${verdict}`);
      expect(told).toEqual([
        'rms_norm_call0001 pass',
        'scaled_mm_call0001/graph_flushes/flush_0001 pass',
        'rms_norm_call0002/graph_flushes/flush_0001 pass',
        // It returns nothing; and its graph never ran.
        'inplace_add_call0001/graph_flushes/flush_0001 unchecked',
        'scaled_mm_call0001/graph_flushes/flush_0002 pass',
        'rms_norm_call0002/graph_flushes/flush_0002 pass',
        'inplace_add_call0001/graph_flushes/flush_0002 unchecked',
        'drifting_call0001 pass',
        'topk_call0001 skipped',
      ]);
      expect(code).toBe(3);
    },
    TIMEOUT_MS,
  );

  test(
    'that differ are unchecked, since their inputs were read after the graph, unless these are trusted',
    async () => {
      const file = join(temporaryDirectory(), 'mine.py');
      writeFileSync(file, 'def scaled_mm(a, b, **options):\n    return (a @ b).bfloat16() + 1\n');
      const flags = ['--target', `scaled_mm=${file}#scaled_mm`, '--include', 'scaled_mm'];
      const { calls, code } = await replaySession(join(FIXTURES, 'graph_flush'), { flags });
      expect(calls.map(({ verdict }) => verdict)).toEqual(['unchecked', 'unchecked']);
      expect(calls[0]?.reason).toContain('inputs were read after the graph');
      expect(calls[0]?.outputs[0]).toMatchObject({ key: 'result', verdict: 'mismatch' });
      expect(code).toBe(3);
      const trusting = await replaySession(join(FIXTURES, 'graph_flush'), {
        flags: [...flags, '--trust-graph-inputs'],
      });
      expect(trusting.calls.map(({ verdict }) => verdict)).toEqual(['mismatch', 'mismatch']);
      expect(trusting.code).toBe(1);
    },
    TIMEOUT_MS,
  );
});
