// Records made to exhaust, confuse or take over their reader.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectSession } from '../../../src/core/inspect/index.js';
import { stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import { openSession } from '../../../src/core/session/index.js';
import { tensorOf, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** Replaces the records of a whole one-call session, in the index and in the dump, by one line. */
function sessionWith(lineOf: (record: Record<string, JsonValue>) => string): string {
  const dir = makeTempDir();
  const call = { functionName: 'f', inputs: { arg_0: tensorOf('float32', [1, 2]) } };
  const [written] = writeSession(dir, [call]);
  const line = `${lineOf(JSON.parse(JSON.stringify(written?.record)))}\n`;
  writeFileSync(join(dir, 'session.jsonl'), line);
  writeFileSync(join(written?.path ?? '', 'metadata.jsonl'), line);
  return dir;
}

/** Reads all that there is to read, and gives it as text. */
function readAll(dir: string): string {
  const inspection = inspectSession(openSession(dir), { stats: true, hash: true });
  const calls = [...inspection.calls];
  const parts = { session: inspection.session, calls, summary: inspection.summary() };
  return stringifyJson(parts as unknown as JsonValue);
}

describe('claims of size', () => {
  it.each([
    ['dimensions', { shape: [2 ** 52, 2 ** 52], stride: [1, 1] }],
    ['strides', { shape: [2, 2], stride: [2 ** 53 - 1, 2 ** 53 - 1] }],
    ['an offset', { shape: [2], stride: [1], offset: 2 ** 53 - 1 }],
    ['a storage', { shape: [2], stride: [1], storageBytes: 2 ** 53 - 1 }],
  ])('of %s cost nothing', (_, claim) => {
    const dir = sessionWith((record) => {
      const layout = { storage: 1, storageBytes: 8, offset: 0, dtype: 'float32', device: 'cpu' };
      const data = { file: 'inputs.safetensors', key: 'arg_0' };
      return JSON.stringify({
        ...record,
        fir: { ...(record['fir'] as object), tensors: { arg_0: { ...layout, data, ...claim } } },
      });
    });
    const before = process.memoryUsage.rss();
    expect(readAll(dir)).toContain('"call":1');
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });

  it('of an expanded tensor over a few stored bytes are refused', () => {
    const dir = makeTempDir();
    const data = { file: 'inputs.safetensors', key: 'storage_1' };
    const claim = { dtype: 'float32' as const, shape: [2 ** 50], stride: [0], storage: 1, data };
    const stored = { key: 'storage_1', dtype: 'U8', shape: [4], data: new Uint8Array(4) };
    writeSession(dir, [{ functionName: 'f', inputs: { arg_0: claim }, extra: { inputs: [stored] } }]);
    expect(readAll(dir)).toContain('an expanded tensor of 4503599627370496 bytes');
  });

  it.each(['[', '{"a":', '"'])('of nesting with %j are skipped', (open) => {
    const dir = sessionWith(() => open.repeat(500_000));
    const session = openSession(dir);
    expect(session.calls.map((call) => call.status)).toEqual(['no_record']);
    expect(session.unreadableCount).toBe(2);
  });

  it('in nested arguments are read without recursion', () => {
    const depth = 1_500;
    const nested = `${'{"type":"list","items":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;
    const dir = sessionWith((record) => {
      const { fir: _fir, ...foreign } = record;
      return JSON.stringify(foreign).replace('"input_metadata":{', `"input_metadata":{"arg_1":${nested},`);
    });
    expect(readAll(dir)).toContain('"call":1');
  });

  it('of a line longer than the bound are passed over, with what follows kept', () => {
    const dir = makeTempDir();
    writeSession(dir, [{ functionName: 'f' }]);
    const index = join(dir, 'session.jsonl');
    const chunk = Buffer.alloc(8 * 1024 * 1024, 0x61);
    writeFileSync(index, '{"function_name":"');
    for (let part = 0; part < 9; part++) appendFileSync(index, chunk);
    appendFileSync(index, '\n{"not":"a record"}\n');
    const session = openSession(dir);
    expect(session.unreadable.map(({ reason }) => reason)).toEqual([
      'longer than 67108864 bytes',
      'not a record: no function_name',
    ]);
    expect(session.calls).toHaveLength(1);
  });
});

describe('names that objects have of their own', () => {
  const NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];

  it.each(NAMES)('%s as any key of a record changes nothing', (name) => {
    const evil = `{"${name}":{"polluted":true,"shape":[1],"stride":[1],"dtype":"torch.float32","device":"cpu"}}`;
    const dir = sessionWith((record) => {
      const text = JSON.stringify({ ...record, tensor_details: 1, input_metadata: 2, versions: 3, roles: 4 });
      return text
        .replace('"tensor_details":1', `"tensor_details":${evil}`)
        .replace('"input_metadata":2', `"input_metadata":${evil}`)
        .replace('"versions":3', `"versions":${evil}`)
        .replace('"tensors":{', `"tensors":{"${name}":{"polluted":true},`)
        .replace(/^\{/, `{"${name}":{"polluted":true},`);
    });
    expect(readAll(dir)).toContain('"call":1');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(NAMES)('%s as a function, a process and a tensor key is a name like others', (name) => {
    const dir = makeTempDir();
    const tensor = tensorOf('float32', [1]);
    // A literal `__proto__` would set the prototype.
    const inputs = Object.fromEntries([[name, tensor]]);
    writeSession(dir, [
      { functionName: name, processUid: name, selfId: 1, inputs, fir: { self_class: name } },
      { functionName: name, processUid: name, selfId: 1, inputs },
    ]);
    const inspection = inspectSession(openSession(dir), { hash: true });
    for (const call of inspection.calls) expect(call.function).toBe(name);
    expect(inspection.summary().byFunction).toEqual([expect.objectContaining({ function: name, calls: 2 })]);
  });
});

describe('names with control characters', () => {
  it('come back as they are', () => {
    const dir = makeTempDir();
    const functionName = '\u001b[2Jrm\u0007\r\nx\u202e';
    const [written] = writeSession(dir, [{ functionName: 'f', record: { function_name: functionName } }]);
    const [call] = openSession(dir).calls;
    expect([call?.functionName, call?.dump]).toEqual([functionName, written?.dump]);
  });
});

describe('records of any shape', () => {
  it('are read or skipped, and never throw', () => {
    const value: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<JsonValue>(
          null,
          true,
          -1,
          0,
          1.5,
          2 ** 53,
          1e308,
          -0,
          '',
          '..',
          'cpu',
          'float32',
          'arg_0',
          2n ** 64n,
        ),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'shape',
            'stride',
            'type',
            'tensor_key',
            'repr',
            'data',
            'file',
            'arg_0',
            '__proto__',
          ),
          tie('value'),
          {
            maxKeys: 4,
          },
        ),
      ),
    })).value;
    const TOP = [
      'module',
      'call_sequence',
      'timestamp',
      'process_id',
      'self_id',
      'input_metadata',
      'output_metadata',
    ];
    const MORE = [
      'tensor_info',
      'tensor_details',
      'tensor_format',
      'versions',
      'graph_capture',
      'function_signature',
    ];
    const FIR = [
      'sequence',
      'parent',
      'started_at',
      'duration_us',
      'kind',
      'resolve',
      'tensors',
      'roles',
      'error',
    ];
    const REST = [
      'mutated_tensor_keys',
      'not_replayable',
      'truncated',
      'self_class',
      'constructs',
      'dropped',
    ];
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...TOP, ...MORE), value, { maxKeys: 5 }),
        fc.dictionary(fc.constantFrom(...FIR, ...REST), value, { maxKeys: 5 }),
        (top, fir) => {
          const dir = sessionWith((record) =>
            stringifyJson({ ...record, ...top, fir: { ...(record['fir'] as object), ...fir } }),
          );
          JSON.parse(readAll(dir));
        },
      ),
      { numRuns: 150 },
    );
  });
});
