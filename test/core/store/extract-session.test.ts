import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/model/json.js';
import { openSession } from '../../../src/core/session/index.js';
import { type DumpRewriter, type ExtractOptions, extractSession } from '../../../src/core/store/index.js';
import { copyFixture, FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { contentOf, hashTree, valuesOf } from '../../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

async function extract(
  source: string,
  calls?: readonly number[],
  options: Partial<ExtractOptions> = {},
): Promise<string> {
  const session = openSession(source);
  const destination = join(makeTempDir(), 'out');
  const all = session.calls.map((entry) => entry.number);
  await extractSession({ session, calls: calls ?? all, destination, ...options });
  return options.destination ?? destination;
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

function dumpsOf(path: string): string[] {
  return openSession(path).calls.map((entry) => entry.dump);
}

/** The records of an index as `f1 completed`, in their order. */
function eventsOf(path: string): string[] {
  return lines(join(path, 'session.jsonl')).map((line) => {
    const { function_name: name, call_sequence: sequence, execution_status: status } = JSON.parse(line);
    return `${name}${sequence} ${status}`;
  });
}

function call(functionName: string, more: Partial<WrittenCall> = {}): WrittenCall {
  return { functionName, inputs: { arg_0: tensorOf('float32', [1, 2]) }, ...more };
}

describe('extracting all calls', () => {
  it.each(FLASHINFER_SESSIONS)('of %s gives the same session', async (name) => {
    const source = fixturePath(name);
    const before = hashTree(source);
    const destination = await extract(source);
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(hashTree(source)).toBe(before);
    const [index, own] = [source, destination].map((path) => lines(join(path, 'session.jsonl')));
    expect(index?.filter((line) => own?.includes(line))).toEqual(own);
  });

  it.each(FLASHINFER_SESSIONS)('of %s gives the same session where the index is missing', async (name) => {
    const source = copyFixture(name);
    rmSync(join(source, 'session.jsonl'));
    const destination = await extract(source);
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(openSession(destination).unindexed).toBe(openSession(source).unindexed);
  });

  it('of a session of fir gives the same one with its process headers', async () => {
    const source = makeTempDir();
    writeSession(source, [
      call('K.__init__', { selfId: 1, kind: 'constructor' }),
      call('K.run', { selfId: 1, outputs: { result: tensorOf('int64', [3]) }, processUid: 'b' }),
      call('f', { status: 'failed', fir: { error: { name: 'Error', message: 'no' } } }),
      call('g', { status: 'inputs_saved', processUid: 'b' }),
    ]);
    const destination = await extract(source);
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(openSession(destination).processes).toEqual(openSession(source).processes);
  });
});

describe('extracting some calls', () => {
  it('keeps their lines to the last byte, in their order', async () => {
    const source = fixturePath('stateful_pt');
    const session = openSession(source);
    const numbers = [2, 3, 7, 9];
    const destination = await extract(source, [9, 3, 2, 7, 3]);
    const wanted = numbers.map((number) => session.calls[number - 1]?.dump);
    expect(dumpsOf(destination)).toEqual(wanted);
    const kept = lines(join(source, 'session.jsonl')).filter((line) =>
      wanted.some((dump) => line.includes(`${dump}"`)),
    );
    expect(lines(join(destination, 'session.jsonl'))).toEqual(kept);
    expect(readdirSync(destination).sort()).toEqual([...wanted, 'session.jsonl'].sort());
  });

  it('gives an empty session for none', async () => {
    const destination = await extract(fixturePath('stateful_pt'), []);
    expect(openSession(destination).calls).toEqual([]);
  });

  it('puts each snapshot of a graph with the call that was captured', async () => {
    const source = fixturePath('graph_flush');
    const session = openSession(source);
    const second = session.calls.filter((entry) =>
      entry.dump.endsWith('scaled_mm_call0001/graph_flushes/flush_0002'),
    );
    const destination = await extract(
      source,
      second.map((entry) => entry.number),
    );
    const [entry] = openSession(destination).calls;
    const base = entry?.dump.split('/')[0] ?? '';
    expect(dumpsOf(destination)).toEqual(second.map(({ dump }) => dump));
    expect(readdirSync(join(destination, base)).sort()).toEqual(readdirSync(join(source, base)).sort());
    expect(readdirSync(join(destination, base, 'graph_flushes'))).toEqual(['flush_0002']);
    const own = [base, `${base}/graph_flushes/flush_0002`].map((dump) => `graph_flush/${dump}`);
    const kept = lines(join(source, 'session.jsonl')).filter((line) =>
      own.includes(JSON.parse(line).dump_dir),
    );
    expect(lines(join(destination, 'session.jsonl')).join('') === kept.join('')).toBe(true);
  });

  it('keeps a snapshot that equals one before it where those between were others', async () => {
    const source = copyFixture('graph_flush');
    const base = readdirSync(source).find((name) => name.includes('scaled_mm')) ?? '';
    const flushes = join(source, base, 'graph_flushes');
    for (const name of ['inputs.pt', 'outputs.pt']) {
      writeFileSync(join(flushes, 'flush_0003', name), readFileSync(join(flushes, 'flush_0001', name)));
    }
    const session = openSession(source);
    const wanted = session.calls.filter(({ dump }) => dump.startsWith(base) && !dump.endsWith('2'));
    expect(wanted).toHaveLength(2);
    const destination = await extract(
      source,
      wanted.map(({ number }) => number),
    );
    expect(dumpsOf(destination)).toEqual(wanted.map(({ dump }) => dump));
  });

  it('notes the process where the calls alone would not tell it', async () => {
    const source = makeTempDir();
    const object = { self_id: 9, input_metadata: { arg_0: { type: 'K', repr: 'k' } } };
    const of = (functionName: string, sequence: number) =>
      call(functionName, { record: { ...object, call_sequence: sequence } as never });
    writeSession(
      source,
      [
        of('K.__init__', 1),
        of('K.run', 1),
        of('K.__init__', 1),
        of('K.run', 1),
        of('K.run', 2),
        of('K.run', 1),
      ],
      { foreign: true },
    );
    const processes = (path: string) => openSession(path).calls.map(({ processUid }) => processUid);
    expect(processes(source)).toEqual([
      'pid4242',
      'pid4242',
      'pid4242#2',
      'pid4242#2',
      'pid4242#2',
      'pid4242#3',
    ]);
    const some = await extract(source, [1, 5, 6]);
    expect(processes(some)).toEqual(['pid4242', 'pid4242#2', 'pid4242#3']);
    const original = lines(join(source, 'session.jsonl'));
    const [first, , , last] = lines(join(some, 'session.jsonl'));
    expect(original).toContain(first);
    const noted = ',"fir":{"recorder":"flashinfer","process":"pid4242#2"}}';
    expect(last?.endsWith(noted)).toBe(true);
    expect(original).toContain(last?.replace(noted, '}'));
    const again = await extract(some, [2, 3]);
    expect(processes(again)).toEqual(['pid4242#2', 'pid4242#3']);
    expect(lines(join(some, 'session.jsonl'))).toEqual(
      expect.arrayContaining(lines(join(again, 'session.jsonl'))),
    );
    rmSync(join(some, 'session.jsonl'));
    expect(processes(some)).toEqual(['pid4242', 'pid4242#2', 'pid4242#3']);
    const all = await extract(source);
    expect(openSession(all).calls.map(({ generation }) => generation)).toEqual(
      openSession(source).calls.map(({ generation }) => generation),
    );
  });

  it('merges segments into one index, in session order, and keeps what ran inside of what', async () => {
    const source = makeTempDir();
    const written = writeSession(
      source,
      ['a', 'b', 'c', 'd'].map((name) => call(name)),
      { foreign: true },
    );
    const [a1, a2, b1, b2, c1, c2, d1, d2] = lines(join(source, 'session.jsonl'));
    rmSync(join(source, 'session.jsonl'));
    writeFileSync(join(source, 'session.x.2.jsonl'), `${[c1, c2].join('\n')}\n`);
    writeFileSync(join(source, 'session.x.10.jsonl'), `${[d1, d2].join('\n')}\n`);
    writeFileSync(join(source, 'session.x.1.jsonl'), `${[a1, b1, b2, a2].join('\n')}\n{"torn`);
    const destination = await extract(source);
    expect(dumpsOf(destination)).toEqual(written.map(({ dump }) => dump));
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(openSession(destination).calls.map(({ parent }) => parent)).toEqual([
      'unknown',
      1,
      'unknown',
      'unknown',
    ]);
    expect(lines(join(destination, 'session.jsonl'))).toEqual([a1, b1, b2, a2, c1, c2, d1, d2]);
    expect(readdirSync(destination).filter((name) => name.endsWith('.jsonl'))).toEqual(['session.jsonl']);
  });

  describe('of fir, whose records stand out of order, and of another recorder in one index', () => {
    /** Calls `p` and `q` of fir, in this order, and `a` and `b`; their lines as `order` has them. */
    function mixed(order: string): string {
      const source = makeTempDir();
      writeSession(source, [call('p', { processUid: 'P' }), call('q', { processUid: 'P' })]);
      writeSession(join(source, 'foreign'), [call('a'), call('b')], { foreign: true });
      const found = [source, join(source, 'foreign')].flatMap((dir) => lines(join(dir, 'session.jsonl')));
      const names = 'pPqQaAbB';
      for (const name of readdirSync(join(source, 'foreign'))) {
        if (name !== 'session.jsonl') renameSync(join(source, 'foreign', name), join(source, name));
      }
      rmSync(join(source, 'foreign'), { recursive: true });
      const arranged = [...order].map((name) => `${found[names.indexOf(name)]}\n`);
      writeFileSync(join(source, 'session.jsonl'), arranged.join(''));
      return source;
    }

    function orderOf(path: string): string {
      return eventsOf(path)
        .map((event) => (event.endsWith('completed') ? event.slice(0, 1).toUpperCase() : event.slice(0, 1)))
        .join('');
    }

    it.each([
      ['qabBpAPQ', 'pabqBAPQ'],
      ['qaAbBpPQ', 'paAbqBPQ'],
      ['qabABpPQ', 'pabqABPQ'],
      ['apPAqbQB', 'apPAqbQB'],
    ])('%s become %s: each in its place, and nesting as it was', async (order, expected) => {
      const source = mixed(order);
      const destination = await extract(source);
      expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
      expect(orderOf(destination)).toBe(expected);
      const names = openSession(source).calls.map(({ functionName }) => functionName);
      const some = await extract(source, [2, 4]);
      expect(openSession(some).calls.map(({ functionName }) => functionName)).toEqual([names[1], names[3]]);
    });
  });

  it('leaves out lines of other calls, torn and foreign ones, and takes a call that shares its directory as it is', async () => {
    const source = copyFixture('same_millisecond');
    const index = join(source, 'session.jsonl');
    writeFileSync(index, `\n{}\n${readFileSync(index, 'utf8')}{"function_name":"x","dump_dir":"y"`);
    const destination = await extract(source);
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(lines(join(destination, 'session.jsonl')).every((line) => line.includes('execution_status'))).toBe(
      true,
    );
  });

  it('takes a moved session, whose records name directories that are gone', async () => {
    const source = makeTempDir();
    writeSession(source, [
      call('f', { record: { dump_dir: '/gone/20261124_143217_000_pid4242_f_call0001' } }),
    ]);
    const destination = await extract(source);
    expect(contentOf(openSession(destination))).toEqual(contentOf(openSession(source)));
    expect(lines(join(destination, 'session.jsonl'))).toEqual(lines(join(source, 'session.jsonl')));
  });

  it('takes one call by its directory', async () => {
    const source = fixturePath('stateful_pt');
    const name = dumpsOf(source)[3] ?? '';
    const destination = await extract(join(source, name));
    expect(dumpsOf(destination)).toEqual([name]);
  });

  it('takes a dump of the metadata.json era with its process', async () => {
    const source = makeTempDir();
    const [first, second] = writeSession(source, [call('f'), call('f', { record: { call_sequence: 1 } })], {
      foreign: true,
      withoutIndex: true,
    });
    for (const written of [first, second]) {
      const { execution_status: _status, dump_dir: _dir, ...old } = written?.record ?? {};
      rmSync(join(written?.path ?? '', 'metadata.jsonl'));
      writeFileSync(join(written?.path ?? '', 'metadata.json'), JSON.stringify(old, undefined, 2));
    }
    expect(openSession(source).calls.map(({ processUid }) => processUid)).toEqual(['pid4242', 'pid4242#2']);
    const destination = await extract(source, [2]);
    const [entry] = openSession(destination).calls;
    expect(entry).toMatchObject({ processUid: 'pid4242#2', status: 'inputs_saved' });
    const converted = await extract(source, [2], { format: 'torch' });
    expect(openSession(converted).calls[0]).toMatchObject({
      processUid: 'pid4242#2',
      status: 'inputs_saved',
    });
    expect(valuesOf(openSession(converted))).toEqual(valuesOf(openSession(destination)));
    expect(readdirSync(join(converted, entry?.dump ?? '')).sort()).toEqual(['inputs.pt', 'metadata.jsonl']);
  });
});

describe('the files of the new session', () => {
  it('are links to the source but for the records, in directories for the owner alone', async () => {
    const source = copyFixture('stateless_pt');
    const session = openSession(source);
    const destination = join(makeTempDir(), 'out');
    const result = await extractSession({ session, calls: [1], destination });
    const dump = session.calls[0]?.dump ?? '';
    const inode = (root: string, name: string) => statSync(join(root, dump, name)).ino;
    expect(inode(destination, 'inputs.pt')).toBe(inode(source, 'inputs.pt'));
    expect(inode(destination, 'metadata.jsonl')).not.toBe(inode(source, 'metadata.jsonl'));
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([destination, join(destination, dump)].map(mode)).toEqual([0o700, 0o700]);
    expect([join(destination, dump, 'metadata.jsonl'), join(destination, 'session.jsonl')].map(mode)).toEqual(
      [0o600, 0o600],
    );
    const sizes = readdirSync(destination, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(destination, name)))
      .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
    expect(result).toMatchObject({ calls: 1, bytes: sizes, linked: 2 });
  });

  it('of a captured call, which its recorder writes again at each flush, are copies', async () => {
    const source = copyFixture('graph_flush');
    const destination = await extract(source);
    const base =
      dumpsOf(source)
        .find((name) => name.includes('/'))
        ?.split('/')[0] ?? '';
    const inode = (root: string) => statSync(join(root, base, 'inputs.pt')).ino;
    expect(inode(destination)).not.toBe(inode(source));
  });

  it('hold blobs that are needed, with a link in each dump that refers to them', async () => {
    const source = makeTempDir();
    const bytes = new Uint8Array(8).fill(7);
    const [used, unused] = ['used', 'unused'].map((text) => createHash('sha256').update(text).digest('hex'));
    const name = createHash('sha256').update(bytes).digest('hex');
    const blob = { dtype: 'uint8' as const, shape: [8], data: { sha256: name } };
    writeSession(source, [
      call('f', { inputs: { arg_0: blob } }),
      call('g'),
      call('h', { inputs: { arg_0: blob } }),
    ]);
    mkdirSync(join(source, 'blobs'));
    for (const file of [name, used ?? '', unused ?? '']) writeFileSync(join(source, 'blobs', file), bytes);
    const destination = await extract(source, [1, 3]);
    expect(readdirSync(join(destination, 'blobs'))).toEqual([name]);
    expect(contentOf(openSession(destination))).toEqual(
      contentOf(openSession(source)).filter(({ facts }) => facts['functionName'] !== 'g'),
    );
    expect(statSync(join(destination, 'blobs', name)).nlink).toBe(4);
    const dump = dumpsOf(destination)[0] ?? '';
    rmSync(join(destination, 'blobs'), { recursive: true });
    const again = await extract(destination, [1]);
    expect(readdirSync(join(again, 'blobs'))).toEqual([name]);
    expect(readdirSync(join(again, dump)).sort()).toEqual([`${name}.blob`, 'metadata.jsonl']);
  });

  it('tell what was asked for', async () => {
    const provenance = { format: 'x', big: 2n ** 60n };
    const destination = await extract(fixturePath('stateful_pt'), [1], { provenance });
    expect(readFileSync(join(destination, 'extracted.json'), 'utf8')).toBe(
      '{"format":"x","big":1152921504606846976}\n',
    );
  });
});

describe('the destination', () => {
  async function failure(promise: Promise<unknown>): Promise<{ code?: string }> {
    return promise.then(
      () => ({}),
      (error: unknown) => error as { code?: string },
    );
  }

  it('may be an empty directory, or a link to one, and is made with those above it', async () => {
    const dir = makeTempDir();
    mkdirSync(join(dir, 'empty'));
    symlinkSync('empty', join(dir, 'link'));
    const source = fixturePath('stateful_pt');
    for (const name of ['link', 'a/b/c']) {
      await extract(source, [1], { destination: join(dir, name) });
      expect(openSession(join(dir, name)).calls).toHaveLength(1);
    }
    expect(readdirSync(dir).sort()).toEqual(['a', 'empty', 'link']);
  });

  it.each(['full', 'file', 'source', 'source/inside', 'source/new/deep'])(
    'is refused as %s',
    async (name) => {
      const dir = makeTempDir();
      const source = join(dir, 'source');
      cpSync(fixturePath('stateful_pt'), source, { recursive: true });
      mkdirSync(join(dir, 'full'));
      writeFileSync(join(dir, 'full', 'x'), '');
      writeFileSync(join(dir, 'file'), '');
      const before = hashTree(dir);
      const error = await failure(extract(source, [1], { destination: join(dir, name) }));
      expect(error.code).toBe('USAGE');
      expect(hashTree(dir)).toBe(before);
    },
  );

  it('is refused where somebody takes it meanwhile', async () => {
    const destination = join(makeTempDir(), 'out');
    const onProgress = () => {
      mkdirSync(join(destination, 'theirs'), { recursive: true });
    };
    const error = await failure(extract(fixturePath('stateful_pt'), [1], { destination, onProgress }));
    expect(error.code).toBe('USAGE');
    expect(readdirSync(destination)).toEqual(['theirs']);
    expect(readdirSync(dirname(destination))).toEqual(['out']);
  });

  it.each(['abort', 'rewriter', 'disk'])('is not there after a failure: %s', async (kind) => {
    const dir = makeTempDir();
    const source = copyFixture('stateful_pt');
    const before = hashTree(source);
    const controller = new AbortController();
    let done = 0;
    const options: Partial<ExtractOptions> = {
      signal: controller.signal,
      onProgress: () => {
        done += 1;
        if (done === 3 && kind === 'abort') controller.abort();
      },
    };
    if (kind === 'rewriter') {
      options.redact = {
        rewrite: (dump, target) => {
          writeFileSync(join(target, 'inputs.pt'), '');
          if (done > 2) throw new Error('no');
          return [dump.recordText];
        },
      };
    }
    if (kind === 'disk') {
      options.onProgress = () => {
        const [partial = ''] = readdirSync(join(dir, 'a'));
        writeFileSync(join(dir, 'a', partial, 'session.jsonl'), '');
      };
    }
    const error = await failure(extract(source, undefined, { ...options, destination: join(dir, 'a', 'b') }));
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe({ abort: 'INTERRUPTED', disk: 'IO_FAILED' }[kind]);
    expect(readdirSync(dir)).toEqual([]);
    expect(hashTree(source)).toBe(before);
  });
});

describe('a rewriter', () => {
  it('gives the files, the records and the index lines of every dump', async () => {
    const source = makeTempDir();
    writeSession(source, [call('f', { outputs: { result: tensorOf('int8', [1]) } }), call('secret')]);
    const redact: DumpRewriter = {
      rewrite: ({ record }, target) => {
        writeFileSync(join(target, 'inputs.safetensors'), 'new');
        const short = { ...record, input_metadata: { told: 'nothing' } } as unknown as JsonObject;
        return [
          JSON.stringify({ ...short, execution_status: 'inputs_saved' }),
          JSON.stringify({ ...short, execution_status: 'completed' }),
        ];
      },
      rewriteHeader: (text) => text.replace('/app', '/other'),
    };
    const session = openSession(source);
    rmSync(session.calls[1] === undefined ? '' : join(source, session.calls[1].dump), { recursive: true });
    const destination = await extract(source, undefined, { redact });
    const dump = dumpsOf(destination)[0] ?? '';
    expect(readdirSync(join(destination, dump)).sort()).toEqual(['inputs.safetensors', 'metadata.jsonl']);
    const own = lines(join(destination, dump, 'metadata.jsonl'));
    expect(own).toHaveLength(2);
    expect(lines(join(destination, 'session.jsonl'))).toEqual(own);
    expect(openSession(destination).processes.get('uid4242')?.cwd).toBe('/other');
  });
});
