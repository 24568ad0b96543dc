import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import { type CallEntry, type Dump, openSession, type Session } from '../../../src/core/session/index.js';
import {
  type ExpectedDump,
  type ExpectedSession,
  type ExpectedStatistics,
  type ExpectedTensor,
  expectedSession,
  FLASHINFER_SESSIONS,
  fixturePath,
} from '../../support/flashinfer-fixtures.js';

function open(name: string): { session: Session; expected: ExpectedSession } {
  return { session: openSession(fixturePath(name)), expected: expectedSession(name) };
}

/** A snapshot stands below the dump of its call. */
function expectedDump(expected: ExpectedSession, dump: string): ExpectedDump {
  const [base = '', , flush] = dump.split('/');
  const whole = expected.dumps[base];
  const found = flush === undefined ? whole : whole?.snapshots?.[flush];
  if (whole === undefined || found === undefined) throw new Error(`nothing expected of ${dump}`);
  return { ...whole, ...found };
}

/** Dumps in the order of their first records; of a captured call its snapshots, but for the repeated last one. */
function expectedOrder({ session_jsonl: { events }, order, dumps }: ExpectedSession): string[] {
  const named = [...new Set([...events.map(([dump]) => dump), ...order.by_session_jsonl])];
  const first = named.filter((dump) => {
    if (dump.includes('/graph_flushes/')) return !dump.endsWith('flush_0003');
    return Object.keys(dumps[dump]?.snapshots ?? {}).length === 0;
  });
  return [...first, ...order.only_on_disk];
}

function expectedStatus(expected: ExpectedSession, dump: string): string {
  const status = expectedDump(expected, dump).execution_status ?? 'no_record';
  // Of a captured call the status of the whole is that of its last snapshot.
  return dump.includes('/') ? 'completed' : status;
}

function openDump(session: Session, call: CallEntry): Dump {
  const dump = call.status === 'no_record' ? session.openUnrecorded(call) : session.openDump(call);
  if (dump === undefined) throw new Error(`${call.dump} has no files`);
  onTestFinished(() => dump.close());
  return dump;
}

function groupOf({ file }: ExpectedTensor): 'inputs' | 'outputs' {
  return file.startsWith('inputs') ? 'inputs' : 'outputs';
}

describe.each(FLASHINFER_SESSIONS)('the FlashInfer session %s', (name) => {
  it('has its calls in the order of their first records, then what only the disk knows', () => {
    const { session, expected } = open(name);
    const order = expectedOrder(expected);
    expect(session.calls.map((call) => call.dump)).toEqual(order);
    expect(session.calls.map((call) => call.number)).toEqual(order.map((_, index) => index + 1));
    expect(session.producer).toBe('flashinfer');
    expect(session.calls.every((call) => call.recorder === 'foreign')).toBe(true);
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
      const dump = expectedDump(expected, call.dump);
      expect([call.dump, call.status]).toEqual([call.dump, expectedStatus(expected, call.dump)]);
      if (call.status === 'no_record') continue;
      const record = session.readRecord(call);
      expect(record).toMatchObject({
        function_name: dump.function_name,
        module: dump.module,
        call_sequence: dump.call_sequence,
        process_id: dump.process_id,
        timestamp: dump.timestamp,
        function_signature: dump.function_signature,
        graph_capture: dump.graph_capture,
        execution_status: call.status,
      });
      expect([call.functionName, call.pid]).toEqual([dump.function_name, dump.process_id]);
      expect(call.graphCapture).toBe(dump.graph_capture);
      if (dump.self_id !== undefined) expect(call.selfId).toBe(dump.self_id);
      expect(record.tensor_info.input_tensor_keys).toEqual(dump.input_tensor_keys);
    }
  });

  it('has every tensor of every file, to the byte', () => {
    const { session, expected } = open(name);
    let count = 0;
    for (const call of session.calls) {
      const dump = openDump(session, call);
      for (const tensor of expectedDump(expected, call.dump).tensors) {
        const group = groupOf(tensor);
        expect(dump.keys(group)).toContain(tensor.key);
        const stored = dump.tensor(group, tensor.key);
        const bytes = stored.logicalBytes();
        expect({
          dtype: stored.dtype,
          shape: stored.shape,
          stride: stored.stride,
          storage_offset: stored.offset,
          storage_bytes: stored.storageBytes,
          nbytes: stored.byteLength,
          requires_grad: stored.requiresGrad === true,
          is_parameter: stored.parameter === true,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        }).toEqual({
          dtype: tensor.dtype,
          shape: tensor.shape,
          stride: tensor.stride,
          storage_offset: tensor.storage_offset,
          storage_bytes: tensor.storage_bytes,
          nbytes: tensor.nbytes,
          requires_grad: tensor.requires_grad,
          is_parameter: tensor.is_parameter,
          sha256: tensor.sha256,
        });
        expect(joined(stored.chunks(16))).toEqual(Buffer.from(bytes));
        stored.verify({ values: true });
        const range = stored.fileRange();
        if (range === undefined) throw new Error(`${tensor.key} stands in no file`);
        expect([range.end - range.begin, range.storageBegin]).toEqual([tensor.storage_bytes, 0]);
        expect(range.path).toBe(join(dump.path, tensor.file));
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(0);
  });

  it('shares the storages that its tensors share, in a call and in no other', () => {
    const { session, expected } = open(name);
    const owners = new Map<string, string>();
    for (const call of session.calls) {
      const dump = openDump(session, call);
      for (const tensor of expectedDump(expected, call.dump).tensors) {
        if (tensor.storage_group === null) continue;
        const storage = String(dump.tensor(groupOf(tensor), tensor.key).storage);
        const owner = `${call.dump} ${tensor.file} ${tensor.storage_group}`;
        expect(owners.get(storage) ?? owner).toBe(owner);
        owners.set(storage, owner);
      }
    }
    expect(new Set(owners.values()).size).toBe(owners.size);
  });

  it('holds files that fail to load there and nowhere else', () => {
    const { session, expected } = open(name);
    for (const call of session.calls) {
      const failed = openDump(session, call)
        .files()
        .filter((file) => file.error !== undefined);
      const { load_errors: errors = {} } = expectedDump(expected, call.dump);
      expect(failed.map((file) => file.name)).toEqual(Object.keys(errors));
      for (const { error } of failed) expect(error).toMatchObject({ code: 'TORCH_INVALID' });
    }
  });

  it('has the same statistics of each tensor', () => {
    const { session, expected } = open(name);
    for (const call of inspectSession(session, { stats: true, hash: true }).calls) {
      for (const tensor of expectedDump(expected, call.dump).tensors) {
        const inspected = call[groupOf(tensor)].find(({ key }) => key === tensor.key);
        expect(inspected?.sha256).toBe(tensor.sha256);
        expectStatistics(inspected?.stats, tensor);
      }
    }
  });
});

function expectStatistics(actual: unknown, { stats, numel }: ExpectedTensor): void {
  const found = actual as Record<'min' | 'max' | 'mean' | 'nan' | 'inf' | 'zeros' | 'trues', number | bigint>;
  const same = (value: unknown, wanted: unknown) => {
    if (wanted !== undefined) expect(value).toBe(wanted);
  };
  same(found.trues, stats.true_count);
  same(found.nan, stats.nan_count);
  same(found.inf, stats.inf_count);
  same(found.zeros, stats.zero_count);
  if (stats.sum !== undefined) expectIntegers(found, stats, numel);
  else if (stats.finite_min !== undefined) {
    expect(Number(found.min)).toBeCloseTo(stats.finite_min, 12);
    expect(found.max).toBe(stats.finite_max);
    const mean = stats.finite_mean ?? Number.NaN;
    expect(Math.abs(Number(found.mean) - mean)).toBeLessThanOrEqual(1e-12 * Math.abs(mean) + 1e-15);
  }
}

function expectIntegers(
  found: { min: number | bigint; max: number | bigint; mean: number | bigint },
  stats: ExpectedStatistics,
  numel: number,
): void {
  expect([String(found.min), String(found.max)]).toEqual([stats.min, stats.max]);
  const mean = Number(BigInt(stats.sum ?? '0')) / numel;
  expect(Math.abs(Number(found.mean) - mean)).toBeLessThanOrEqual(1e-12 * Math.abs(mean));
}

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

  it('tells the objects of two processes apart that have one id', () => {
    const { session } = open('multiprocess_pt');
    const objects = session.calls.filter((call) => call.selfId !== undefined);
    expect(new Set(objects.map((call) => call.selfId)).size).toBe(1);
    expect(objects.every((call) => call.generation === 1)).toBe(true);
    expect(objects.filter((call) => call.constructs)).toHaveLength(2);
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
    expect(openDump(session, first).tensor('inputs', 'arg_1').device).toBe('unknown');
    const nested = open('nested_pt').session;
    const call = nested.calls.find(({ functionName }) => functionName === 'nested');
    if (call === undefined) throw new Error('no call');
    expect(openDump(nested, call).tensor('inputs', 'arg_0__0').device).toBe('cpu');
  });
});

/** A piece is overwritten by the next one. */
function joined(pieces: Iterable<Uint8Array>): Buffer {
  const copies: Uint8Array[] = [];
  for (const piece of pieces) copies.push(piece.slice());
  return Buffer.concat(copies);
}
