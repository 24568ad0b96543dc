import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';

const FIXTURES = new URL('../../fixtures/flashinfer/', import.meta.url).pathname;

interface Expected {
  session_jsonl: { bytes: number; records: number; torn_bytes: number };
  order: { by_session_jsonl: string[]; only_on_disk: string[] };
  dumps: Record<
    string,
    {
      execution_status?: string;
      function_name?: string;
      process_id?: number;
      call_sequence?: number;
      input_tensor_keys?: string[];
      output_tensor_keys?: string[];
      tensors: { file: string; key: string; dtype: string; shape: number[]; stride: number[] }[];
    }
  >;
}

function open(name: string) {
  const expected: Expected = JSON.parse(readFileSync(`${FIXTURES}expected/${name}.json`, 'utf8'));
  return { session: openSession(`${FIXTURES}${name}`), expected };
}

describe.each([
  'crashed_pt',
  'disk_full',
  'filtered_pt',
  'graph_flush',
  'multiprocess_pt',
  'nested_pt',
  'same_millisecond',
  'stateful_pt',
  'stateless_pt',
  'torn_tail',
])('the FlashInfer session %s', (name) => {
  it('has its calls in the order of their first records, then what only the disk knows', () => {
    const { session, expected } = open(name);
    const order = [...expected.order.by_session_jsonl, ...expected.order.only_on_disk];
    expect(session.calls.map((call) => call.dump)).toEqual(order);
    expect(session.calls.map((call) => call.number)).toEqual(order.map((_, index) => index + 1));
    expect(session.producer).toBe('flashinfer');
  });

  it('has every readable record, and a torn line at its place', () => {
    const { session, expected } = open(name);
    const { bytes, records, torn_bytes: torn } = expected.session_jsonl;
    const reason = 'torn: the file ends in the middle of a record';
    expect(session.records).toBe(records);
    expect(session.unreadable).toEqual(
      torn === 0 ? [] : [{ file: 'session.jsonl', offset: bytes - torn, reason }],
    );
  });

  it('has the last state of each call', () => {
    const { session, expected } = open(name);
    for (const call of session.calls) {
      const dump = expected.dumps[call.dump];
      expect(call.status).toBe(dump?.execution_status ?? 'no_record');
      if (call.status === 'no_record') continue;
      const record = session.readRecord(call);
      expect([call.functionName, call.pid]).toEqual([dump?.function_name, dump?.process_id]);
      expect([record.function_name, record.call_sequence]).toEqual([
        dump?.function_name,
        dump?.call_sequence,
      ]);
      expect(record.execution_status).toBe(call.status);
    }
  });

  it('shows the layout of each tensor, and says that the format of its values is not read', () => {
    const { session, expected } = open(name);
    for (const call of session.calls) {
      if (call.status === 'no_record' || expected.dumps[call.dump] === undefined) continue;
      const dump = session.openDump(call);
      for (const { file, key, dtype, shape } of expected.dumps[call.dump]?.tensors ?? []) {
        const group = file.startsWith('inputs') ? 'inputs' : 'outputs';
        expect(dump.keys(group)).toContain(key);
        const tensor = dump.tensor(group, key);
        expect([tensor.dtype, tensor.shape]).toEqual([dtype, shape]);
        expect(() => tensor.logicalBytes()).toThrow(expect.objectContaining({ code: 'TENSOR_UNSUPPORTED' }));
      }
      dump.close();
    }
  });
});

describe('what FlashInfer leaves out', () => {
  it('names processes by their id', () => {
    const { session } = open('multiprocess_pt');
    const uids = new Map(session.calls.map((call) => [call.processUid, call.pid]));
    expect([...uids]).toEqual([
      ['pid19651', 19651],
      ['pid19650', 19650],
    ]);
    for (const uid of uids.keys()) {
      const own = session.calls.filter((call) => call.processUid === uid);
      expect(own.map((call) => call.sequence)).toEqual(own.map((_, index) => index + 1));
    }
  });

  it('keeps infinite and NaN arguments', () => {
    const { session } = open('nested_pt');
    const texts = session.calls
      .filter((call) => call.functionName === 'options' && call.status !== 'no_record')
      .map((call) => Object.values(session.readRecord(call).input_metadata));
    expect(texts.flat().filter((value) => typeof value === 'number' && !Number.isFinite(value))).not.toEqual(
      [],
    );
  });

  it('counts the objects of a class, and none where no constructor was recorded', () => {
    const stateful = open('stateful_pt').session;
    expect(stateful.calls.filter((call) => call.constructs)).toHaveLength(2);
    expect(
      stateful.calls.filter((call) => call.selfId !== undefined).every((call) => call.generation === 1),
    ).toBe(true);
    const filtered = open('filtered_pt').session;
    const runs = filtered.calls.filter((call) => call.functionName === 'BatchDemoWrapper.run');
    expect(runs.map((call) => call.generation)).toEqual([0, 0, 0, 0]);
  });

  it('takes the device of an eagerly recorded tensor for unknown, but not that of a nested one', () => {
    const { session } = open('stateful_pt');
    const [first] = session.calls;
    if (first === undefined) throw new Error('no calls');
    expect(session.openDump(first).tensor('inputs', 'arg_1').device).toBe('unknown');
    const nested = open('nested_pt').session;
    const call = nested.calls.find(({ functionName }) => functionName === 'nested');
    if (call === undefined) throw new Error('no call');
    expect(nested.openDump(call).tensor('inputs', 'arg_0__0').device).toBe('cpu');
  });
});
