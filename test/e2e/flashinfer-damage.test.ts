import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runFir, temporaryDirectory } from '../support/fir.js';
import { fixturePath } from '../support/flashinfer-fixtures.js';
import { pythonWithTorch } from '../support/python.js';
import { type ReplayDocument, replayJson } from '../support/replay-json.js';

const TIMEOUT_MS = 120_000;
const SHORT_NAME = /^\d{8}_\d{6}_\d{3}_pid\d+_/;

let python = '';
beforeAll(async () => {
  python = await pythonWithTorch();
}, 900_000);

function flagsFor(more: readonly string[] = []): string[] {
  const code = ['--python', python, '--pythonpath', fixturePath('py'), '--allow', 'fir_demo_kernels'];
  return [...code, '--device', 'cpu', ...more];
}

function replay(session: string, flags: readonly string[] = [], drift = ''): Promise<ReplayDocument> {
  return replayJson(session, flagsFor(flags), { env: { ...process.env, FIR_DEMO_DRIFT: drift } });
}

function copyOf(fixture: string): string {
  const path = join(temporaryDirectory(), 'session');
  cpSync(fixturePath(fixture), path, { recursive: true });
  return path;
}

function dumpsOf(session: string, end: string): string[] {
  const found = readdirSync(session).filter((name) => name.endsWith(end));
  if (found.length === 0) throw new Error(`no dump ${end}`);
  return found;
}

/** Keeps the lines of the index that do not name these dumps. */
function leaveOutOfIndex(session: string, dumps: readonly string[]): void {
  const index = join(session, 'session.jsonl');
  const lines = readFileSync(index, 'utf8').split(/(?<=\n)/);
  writeFileSync(index, lines.filter((line) => !dumps.some((dump) => line.includes(dump))).join(''));
}

describe('the exit code', () => {
  test.each([
    ['of a session that passes', 'stateful_pt', [], '', 0],
    ['of one that drifts', 'crashed_pt', ['--include', 'drifting'], '3', 1],
    ['of calls that raise', 'crashed_pt', ['--include', 'fail'], '', 1],
    ['of one of which a call could not be run', 'filtered_pt', [], '', 3],
  ])('%s', async (_, fixture, flags, drift, code) => {
    expect((await replay(fixturePath(fixture), flags, drift)).code).toBe(code);
  });

  test('of a directory that is not there, or is empty, is that of wrong usage', async () => {
    const nowhere = join(temporaryDirectory(), 'nowhere');
    const empty = join(temporaryDirectory(), 'empty');
    mkdirSync(empty);
    for (const path of [nowhere, empty]) {
      expect((await runFir(['replay', path, ...flagsFor()])).code).toBe(2);
    }
  });
});

test(
  'an exception is told with its message and without a traceback, and that the recorded call did not return either',
  async () => {
    const { stdout, code } = await runFir(['replay', fixturePath('crashed_pt'), ...flagsFor()]);
    expect(stdout).toContain('fail  error: it did not return when it was recorded either, reproduced');
    expect(stdout).toContain('ValueError: bad shape: (2, 3)');
    expect(stdout).toContain('RuntimeError: plan() must be called before run()');
    expect(stdout).not.toContain('Traceback');
    expect(code).toBe(1);
  },
  TIMEOUT_MS,
);

test(
  'methods of objects that were not made name the pattern of a recording that would have had them',
  async () => {
    const filtered = await replay(fixturePath('filtered_pt'), ['--include', 'BatchDemoWrapper.run']);
    for (const { reason } of filtered.calls) {
      expect(reason).toContain("FLASHINFER_DUMP_INCLUDE='BatchDemoWrapper.*'");
    }
    const nested = await replay(fixturePath('nested_pt'), ['--include', 'schedule', '--include', 'sum_tree']);
    const [schedule] = nested.calls.filter((call) => call.function === 'schedule');
    expect(schedule?.reason).toContain("FLASHINFER_DUMP_INCLUDE='__init__");
    const cut = nested.calls.filter((call) => call.verdict === 'skipped' && call.function === 'sum_tree');
    expect(cut.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('arg_0 holds a list that was cut short'),
      expect.stringContaining('arg_0 holds a list that was cut short'),
    ]);
  },
  TIMEOUT_MS,
);

describe('what the recorder left behind is in the count', () => {
  test(
    'a call of which only a torn tensor file is there',
    async () => {
      const session = copyOf('disk_full');
      const dumps = dumpsOf(session, 'row_scale_call0003');
      leaveOutOfIndex(session, dumps);
      const path = join(session, dumps[0] ?? '');
      for (const name of ['metadata.jsonl', 'outputs.pt']) rmSync(join(path, name));
      truncateSync(join(path, 'inputs.pt'), 100);
      const { verdicts, calls, code } = await replay(session);
      expect([verdicts, code]).toEqual([['1 pass', '2 pass', '3 skipped'], 3]);
      expect(calls[2]?.reason).toContain('no metadata.jsonl');
    },
    TIMEOUT_MS,
  );

  test(
    'a directory that two calls were recorded into',
    async () => {
      const session = copyOf('torn_tail');
      const [dump = ''] = dumpsOf(session, 'topk_call0001');
      for (const file of [join(session, 'session.jsonl'), join(session, dump, 'metadata.jsonl')]) {
        const lines = readFileSync(file, 'utf8').split(/(?<=\n)/);
        const whole = (line: string) => line.includes(dump) && line.endsWith('\n');
        // The other container's call of the same name in the same millisecond.
        writeFileSync(file, lines.flatMap((line) => (whole(line) ? [line, line] : [line])).join(''));
      }
      const { calls, code } = await replay(session, ['--include', 'topk']);
      const found = calls.find((call) => call.dump === dump);
      expect([found?.verdict, code]).toEqual(['error', 1]);
      expect(found?.reason).toContain('another call was recorded into its dump directory');
    },
    TIMEOUT_MS,
  );

  test(
    'graph flushes into a directory that the program had emptied, which say nothing of their calls',
    async () => {
      const session = copyOf('graph_flush');
      const kept = ['execution_status', 'dump_dir'];
      const isKept = (name: string) => kept.includes(name) || name.startsWith('graph_capture_');
      const emptied = (line: string): string[] => {
        const record = JSON.parse(line);
        if (record.graph_capture !== true) return [line];
        if (record.graph_capture_flushed !== true) return [];
        const fields = Object.entries(record).filter(
          ([name]) => isKept(name) && (name !== 'dump_dir' || 'graph_capture_base_dump_dir' in record),
        );
        return [`${JSON.stringify(Object.fromEntries(fields))}\n`];
      };
      const files = readdirSync(session, { recursive: true, encoding: 'utf8' });
      for (const file of files.filter((name) => name.endsWith('.jsonl'))) {
        const path = join(session, file);
        const lines = readFileSync(path, 'utf8').split(/(?<=\n)/);
        writeFileSync(path, lines.flatMap((line) => (line === '' ? [] : emptied(line))).join(''));
      }
      const { calls, code } = await replay(session);
      const told = calls.map(({ dump, verdict }) => `${dump.replace(SHORT_NAME, '')} ${verdict}`);
      expect(told.filter((line) => line.endsWith(' pass'))).toEqual([
        'rms_norm_call0001 pass',
        'drifting_call0001 pass',
      ]);
      const flushed = calls.filter(({ dump }) => dump.includes('/graph_flushes/'));
      expect(flushed.length).toBeGreaterThan(5);
      expect(new Set(flushed.map(({ verdict }) => verdict))).toEqual(new Set(['skipped']));
      expect(code).toBe(3);
    },
    TIMEOUT_MS,
  );
});
