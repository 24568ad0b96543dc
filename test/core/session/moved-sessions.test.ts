import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { copyFixture, FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { tensorOf, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const INDEX = 'session.jsonl';

/** All that inspect tells, but for the session's own place. */
function told(path: string): unknown {
  const { calls, summary } = inspectSession(openSession(path), { hash: true });
  return { calls: [...calls], summary: summary() };
}

function filesNamed(path: string, name: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(name))
    .map((file) => join(path, file));
}

describe('a session elsewhere than it was recorded', () => {
  it.each(['', '/srv/traces/', 'C:\\traces\\', '../../', './'])(
    'reads alike with %j before its name',
    (prefix) => {
      const path = copyFixture('graph_flush', 'renamed');
      for (const file of [join(path, INDEX), ...filesNamed(path, 'metadata.jsonl')]) {
        const text = readFileSync(file, 'utf8');
        const begin = JSON.stringify(prefix).slice(0, -1);
        writeFileSync(file, text.replaceAll('"dump_dir": "graph_flush/', `"dump_dir": ${begin}`));
      }
      expect(told(path)).toEqual(told(fixturePath('graph_flush')));
    },
  );

  it.each(FLASHINFER_SESSIONS)('%s is rebuilt from its dumps where the index is missing', (name) => {
    const path = copyFixture(name, 'without-index');
    rmSync(join(path, INDEX));
    const { calls } = openSession(path);
    const { calls: known } = openSession(fixturePath(name));
    const facts = (list: typeof calls) =>
      list
        .map((call) => `${call.dump} ${call.status} ${call.functionName} ${call.pid} ${call.selfId}`)
        .sort();
    expect(facts(calls)).toEqual(facts(known));
  });
});

describe('a dump with the record of the first recorders, metadata.json', () => {
  function oldSession(change: (record: Record<string, unknown>) => object = (record) => record): string {
    const path = copyFixture('stateless_pt');
    rmSync(join(path, INDEX));
    for (const file of filesNamed(path, 'metadata.jsonl')) {
      const {
        dump_dir: _,
        tensor_format: _format,
        graph_capture: _graph,
        ...record
      } = JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '');
      rmSync(file);
      writeFileSync(file.replace(/l$/, ''), JSON.stringify(change(record), undefined, 2));
    }
    return path;
  }

  it('is read as one with lines', () => {
    const path = oldSession();
    const known = openSession(fixturePath('stateless_pt'));
    const session = openSession(path);
    expect([session.calls.length, session.unreadableCount]).toEqual([known.calls.length, 0]);
    for (const call of session.calls) {
      const dump = session.openDump(call);
      expect(call.status).toBe('completed');
      for (const key of dump.keys('inputs')) expect(dump.tensor('inputs', key).logicalBytes()).toBeDefined();
      dump.close();
    }
  });

  it('says whether the call ended where it has no status', () => {
    const { calls } = openSession(
      oldSession(({ execution_status: _, tensor_info: info, ...record }) => ({
        ...record,
        output_metadata: {},
        tensor_info: record['function_name'] === 'rotate' ? { input_tensor_keys: ['arg_0'] } : info,
      })),
    );
    for (const call of calls) {
      expect(call.status).toBe(call.functionName === 'rotate' ? 'inputs_saved' : 'completed');
    }
  });

  it('that is no record is counted, and its tensors are shown', () => {
    const path = oldSession((record) => ({ ...record, function_name: 3 }));
    const session = openSession(path);
    expect(session.unreadableCount).toBe(session.calls.length);
    expect(session.unreadable[0]).toMatchObject({ offset: 0, reason: 'not a record: no function_name' });
    const calls = [...inspectSession(session).calls];
    expect(calls.every((call) => call.status === 'no_record')).toBe(true);
    expect(calls.some((call) => call.inputs[0]?.dtype === 'float32')).toBe(true);
  });

  it('of an absurd size is not read', () => {
    const path = oldSession();
    const [file = ''] = filesNamed(path, 'metadata.json');
    appendFileSync(file, Buffer.alloc(17 * 2 ** 20, ' '));
    expect(openSession(path).unreadable).toEqual([
      expect.objectContaining({ reason: 'longer than 16777216 bytes' }),
    ]);
  });
});

describe('a dump without a record', () => {
  it('shows the tensors that its files hold', () => {
    const calls = [...inspectSession(openSession(fixturePath('nested_pt'))).calls];
    expect(calls.at(-1)).toMatchObject({
      function: 'options',
      status: 'no_record',
      inputs: [{ key: 'arg_0', dtype: 'float32', shape: [3], bytes: 12 }],
      replayable: false,
      reasons: ['its metadata.jsonl holds no readable record'],
    });
  });

  it('shows those of a safetensors file, too, and is otherwise empty', () => {
    const dir = makeTempDir();
    const [written, other] = writeSession(
      dir,
      [
        { functionName: 'f', inputs: { arg_0: tensorOf('int64', [1, 2]) } },
        { functionName: 'g', inputs: { arg_0: tensorOf('int64', [1]) } },
      ],
      { foreign: true, withoutIndex: true },
    );
    rmSync(join(written?.path ?? '', 'metadata.jsonl'));
    rmSync(join(other?.path ?? '', 'metadata.jsonl'));
    writeFileSync(join(other?.path ?? '', 'inputs.safetensors'), 'torn');
    const session = openSession(dir);
    const [first, second] = inspectSession(session, { hash: true }).calls;
    expect(first?.inputs).toEqual([expect.objectContaining({ key: 'arg_0', dtype: 'int64', shape: [2] })]);
    expect(first?.inputs[0]?.sha256).toHaveLength(64);
    expect(second?.inputs).toEqual([]);
    expect(second?.notes).toEqual([expect.stringContaining("inputs.safetensors can't be read: ")]);
  });
});

describe('two containers that share a directory', () => {
  /** Both have process 1, and record the same call in the same millisecond. */
  function shared(second: (line: string) => string): string {
    const dir = makeTempDir();
    const [written] = writeSession(
      dir,
      [{ functionName: 'f', pid: 1, inputs: { arg_0: tensorOf('float32', [1, 2]) } }],
      { foreign: true },
    );
    for (const file of [join(dir, INDEX), join(written?.path ?? '', 'metadata.jsonl')]) {
      const lines = readFileSync(file, 'utf8').split(/(?<=\n)/);
      writeFileSync(file, lines.flatMap((line) => [line, second(line)]).join(''));
    }
    return dir;
  }

  it.each<[string, (line: string) => string]>([
    ['differ in nothing', (line) => line],
    [
      'differ in their arguments',
      (line) => line.replace('"input_metadata":{', '"input_metadata":{"arg_9":1,'),
    ],
    ['are of another function', (line) => line.replace('"function_name":"f"', '"function_name":"g"')],
    ['are of another process', (line) => line.replace('"process_id":1', '"process_id":2')],
  ])('are seen where the records of their calls %s', (_, second) => {
    const dir = shared(second);
    for (const hasIndex of [true, false]) {
      if (!hasIndex) rmSync(join(dir, INDEX));
      const [call, ...more] = inspectSession(openSession(dir)).calls;
      expect(more).toEqual([]);
      expect([call?.replayable, call?.reasons]).toEqual([
        false,
        ['another call was recorded into its dump directory'],
      ]);
    }
  });

  it('are not suspected where only the index has its lines twice', () => {
    const path = copyFixture('stateful_pt');
    const index = join(path, INDEX);
    appendFileSync(index, readFileSync(index));
    const session = openSession(path);
    expect(session.calls.map((call) => call.problem)).toEqual(session.calls.map(() => undefined));
    expect(session.unreadableCount).toBe(26);
  });

  it('leave tensors that are not those of the record', () => {
    const path = copyFixture('stateful_pt');
    const dumps = readdirSync(path).filter((name) => name.includes('BatchDemoWrapper.run'));
    const [one = '', other = ''] = dumps.filter((_, index) => index === 0 || index === 2);
    cpSync(join(path, other, 'inputs.pt'), join(path, one, 'inputs.pt'));
    const call = [...inspectSession(openSession(path)).calls].find(({ dump }) => dump === one);
    expect(call?.replayable).toBe(false);
    expect(call?.reasons[0]).toMatch(
      /^input arg_1: tensor "arg_1" is torch\.float16 \[2, 2, 8\], but the record says torch\.float32/,
    );
  });
});

it('a session is renamed while nobody looks', () => {
  const path = copyFixture('stateful_pt');
  const before = told(path);
  mkdirSync(join(path, '..', 'deep'));
  renameSync(path, join(path, '..', 'deep', 'other-name'));
  expect(told(join(path, '..', 'deep', 'other-name', INDEX))).toEqual(before);
});
