import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PLAIN } from '../../../src/cli/colour.js';
import { displayWidth } from '../../../src/cli/display-width.js';
import { type InspectCall, inspectSession } from '../../../src/core/inspect/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { callLines } from '../../../src/report/inspect/one-call.js';
import { writeSessionText } from '../../../src/report/inspect/text.js';
import { fixturePath } from '../../support/flashinfer-fixtures.js';
import { writeRecorded } from '../../support/recorded-session.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { HOSTILE, textSink } from '../replay-results.js';

const CALLS: WrittenCall[] = [
  {
    functionName: 'gemm',
    inputs: { arg_0: tensorOf('float32', [1, 2, 3, 4], [2, 2]) },
    outputs: { result: tensorOf('float32', [1, 2]) },
    durationUs: 1200,
  },
  { functionName: 'gemm', inputs: { arg_0: tensorOf('int64', [7], []) }, status: 'inputs_saved' },
  {
    functionName: 'scale_in_place',
    inputs: { arg_0: tensorOf('float16', [1, 2]) },
    mutated: { arg_0: tensorOf('float16', [2, 4]) },
    status: 'failed',
    fir: { error: { name: 'RangeError', message: 'too far' }, not_replayable: ['arg_1 is a function'] },
    durationUs: 90,
  },
];

function recorded(calls: WrittenCall[]): string {
  const directory = join(makeTempDir(), 'session');
  writeSession(directory, calls);
  return directory;
}

async function textOf(
  directory: string,
  columns = Number.POSITIVE_INFINITY,
  tensors = false,
): Promise<string> {
  const session = openSession(directory);
  const sink = textSink();
  const unfinished = inspectSession(session, { status: ['inputs_saved'] }).calls;
  const inspection = inspectSession(session, { stats: tensors, hash: tensors });
  await writeSessionText(inspection, unfinished, sink, { columns, paint: PLAIN, tensors });
  return sink.text.replaceAll(directory, 'SESSION');
}

test('calls, those that never ended first, then functions, reasons and counts', async () => {
  const text = await textOf(recorded(CALLS));
  expect(text.split('\n').slice(1).join('\n')).toMatchInlineSnapshot(`
    "
    1 call never ended, so the program may have died inside:
    #  FUNCTION  STATUS      INPUTS   OUTPUTS  SIZE  TIME
    2  gemm      unfinished  int64[]            8 B

    #  FUNCTION        STATUS      INPUTS        OUTPUTS        SIZE    TIME
    1  gemm            completed   float32[2,2]  float32[2]     24 B  1.2 ms
    2  gemm            unfinished  int64[]                       8 B
    3  scale_in_place  failed      float16[2]    arg_0 changed   8 B   90 µs

    FUNCTION        CALLS  FAILED  UNFINISHED  SIZE     P50     P95
    gemm                2       0           1  32 B  1.2 ms  1.2 ms
    scale_in_place      1       1           0   8 B   90 µs   90 µs

    3 calls can't be replayed:
      gemm: nothing recorded says how to find its function again (2 calls, the first is 1)
      scale_in_place: arg_1 is a function (call 3)
      scale_in_place: nothing recorded says how to find its function again (call 3)

    3 calls: 1 completed, 1 unfinished, 1 failed
    "
  `);
});

test.each([100, 80, 60])('on a terminal of %i columns no table is wider', async (columns) => {
  const text = await textOf(recorded(CALLS), columns);
  const tables = text.split('\n').filter((line) => /^ *(#|\d+) {2}|^FUNCTION|^gemm {2}/.test(line));
  expect(Math.max(...tables.map(displayWidth))).toBeLessThanOrEqual(columns);
});

test('statistics, histograms and hashes stand under their call', async () => {
  const text = await textOf(recorded(CALLS.slice(0, 1)), 120, true);
  expect(text).toMatch(
    /in {2}arg_0 float32\[2,2\] {2}16 B\n +min 1 {2}max 4 {2}mean 2\.5 {2}std 1\.11803 {2}nan 0 {2}inf 0 {2}[ ▁-█]+\n +sha256 [0-9a-f]{64}\n/,
  );
});

test('names from a session can not write to the terminal', async () => {
  const text = await textOf(
    recorded([
      {
        functionName: 'gemm',
        record: { function_name: HOSTILE, module: HOSTILE },
        fir: { not_replayable: [HOSTILE] },
        inputs: { arg_0: tensorOf('float32', [1]) },
      },
    ]),
  );
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(text).toContain('gemm\\x1b[2J\\u202e');
});

test('a session without calls says so', async () => {
  const text = await textOf(recorded([]));
  expect(text.trimEnd().split('\n').at(-1)).toBe('no calls');
});

test('one call whole: values, tensors with their layout and first values, error', () => {
  const directory = recorded([
    {
      functionName: 'scale',
      inputs: {
        arg_0: tensorOf(
          'float32',
          Array.from({ length: 12 }, (_, index) => index / 4),
          [3, 4],
        ),
      },
      inputMetadata: {
        arg_1: { type: 'dict', length: 1, items: [{ key: 'axis', value: { type: 'js.undefined' } }] },
        arg_2: { type: 'list', length: 2, items: [true, { type: 'js.bigint', value: '12' }] },
      },
      status: 'failed',
      fir: {
        error: { name: 'RangeError', message: 'axis', stack: 'RangeError: axis\n    at scale (k.js:1:1)' },
      },
    },
  ]);
  const session = openSession(directory);
  const [call] = inspectSession(session).calls;
  const [entry] = session.calls;
  if (call === undefined || entry === undefined) throw new Error('no call');
  const text = callLines(call, session.openDump(entry), PLAIN).join('\n');
  expect(text).toContain('arg_1 = {axis: undefined}\n');
  expect(text).toContain('arg_2 = [true, 12n]\n');
  expect(text).toContain('arg_0 float32[3,4]  48 B\n      [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, …]\n');
  expect(text).toMatch(/error\n {4}RangeError: axis\n {6}RangeError: axis\n {10}at scale \(k\.js:1:1\)$/);
});

test('what is stored once, though several tensors hold it', async () => {
  const path = join(makeTempDir(), 'session');
  const call = { inputs: { arg_0: new Float32Array(1024) }, blobs: ['arg_0'] };
  writeRecorded(path, [call, call], 'safetensors');
  expect(await textOf(path)).toContain(
    '\nstored by content: 2 tensors of 8.0 KiB as 4.0 KiB\n\n2 calls: 2 completed\n',
  );
});

test('a FlashInfer session: its versions, what may have crashed or raised, what repeats, what can’t be read', async () => {
  const crashed = await textOf(fixturePath('crashed_pt'));
  expect(crashed).toMatch(/by flashinfer, torch 1\.13\.0a0, python 3\.11\.2, flashinfer 0\.6\.0\n/);
  expect(crashed).toContain(
    '3 calls never ended, so the program may have died inside, or an exception came out:\n',
  );
  expect(crashed.indexOf('hang')).toBeLessThan(crashed.indexOf('rms_norm'));
  const graph = await textOf(fixturePath('graph_flush'));
  expect(graph).toContain(
    '\nleft out: 3 snapshots of CUDA graphs, byte for byte what the flush before had written\n',
  );
  expect(graph).toMatch(/\n2 {2}topk +in graph /);
  expect(graph).not.toContain('never ended');
  const full = await textOf(fixturePath('disk_full'));
  expect(full).toMatch(
    /\nof the files of 1 call:\n {2}row_scale: outputs\.pt can't be read: .* \(call 3\)\n/,
  );
});

test('one call of a FlashInfer session: graph, stored bytes, parameters, files without a record', () => {
  const textOfCall = (name: string, find: (call: InspectCall) => boolean): string => {
    const session = openSession(fixturePath(name));
    const call = [...inspectSession(session).calls].find(find);
    const entry = session.calls[(call?.call ?? 0) - 1];
    if (call === undefined || entry === undefined) throw new Error('no call');
    const dump = entry.status === 'no_record' ? session.openUnrecorded(entry) : session.openDump(entry);
    const text = callLines(call, dump, PLAIN).join('\n');
    dump?.close();
    return text;
  };
  expect(textOfCall('graph_flush', ({ graphCapture }) => graphCapture === true)).toContain(
    '  graph      captured in a CUDA graph, read after the graph had run\n',
  );
  expect(textOfCall('stateless_pt', ({ function: name }) => name === 'row_views')).toMatch(
    /result_2 float32\[5\] {2}20 B of 60 B stored/,
  );
  const isParameter = ({ inputs }: InspectCall) => inputs.some(({ parameter }) => parameter === true);
  expect(textOfCall('stateless_pt', isParameter)).toMatch(/ {2}parameter {2}/);
  expect(textOfCall('nested_pt', ({ status }) => status === 'no_record')).toMatch(
    /arg_0 float32\[3\].*\n +\[/,
  );
  expect(textOfCall('disk_full', ({ call }) => call === 3)).toMatch(
    /\n {2}note +outputs\.pt can't be read: /,
  );
});
