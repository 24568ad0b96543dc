import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { type ExtractOptions, extractSession } from '../../../src/core/store/index.js';
import { hashTree } from '../../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const SECRET = 'a secret of the machine';

interface Hostile {
  dir: string;
  session: string;
  dump: string;
  secret: string;
}

/** A session with one call, beside a file that it must never lead to. */
function hostile(call: Partial<WrittenCall> = {}): Hostile {
  const dir = makeTempDir();
  const session = join(dir, 'session');
  const inputs = { arg_0: tensorOf('float32', [1, 2]) };
  const [written] = writeSession(session, [{ functionName: 'f', inputs, ...call }]);
  const secret = join(dir, 'secret');
  writeFileSync(secret, SECRET);
  return { dir, session, dump: written?.dump ?? '', secret };
}

async function extract({ dir, session }: Hostile, options: Partial<ExtractOptions> = {}): Promise<string> {
  const opened = openSession(session);
  const destination = join(dir, 'out', 'of');
  const before = hashTree(session);
  await extractSession({
    session: opened,
    calls: opened.calls.map(({ number }) => number),
    destination,
    ...options,
  });
  expect(hashTree(session)).toBe(before);
  expect(readdirSync(dir).sort()).toEqual(['out', 'secret', 'session']);
  return destination;
}

function everything(path: string): string {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join();
}

function namesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
}

describe.each([{}, { format: 'torch' }, { plain: true }] satisfies Partial<ExtractOptions>[])(
  'extracting a hostile session with %j',
  (options) => {
    it.each(['inputs.safetensors', 'metadata.jsonl', 'metadata.json', 'outputs.pt', 'mutated.safetensors'])(
      'takes no %s that links out of it',
      async (name) => {
        const made = hostile();
        rmSync(join(made.session, made.dump, name), { force: true });
        symlinkSync(made.secret, join(made.session, made.dump, name));
        expect(everything(await extract(made, options))).not.toContain(SECRET);
      },
    );

    it('takes nothing that a dump does not have', async () => {
      const made = hostile();
      const path = join(made.session, made.dump);
      mkdirSync(join(path, 'outputs.safetensors'));
      mkdirSync(join(path, 'graph_flushes', 'flush_0001'), { recursive: true });
      execFileSync('mkfifo', [join(path, 'mutated.pt')]);
      for (const name of ['run.sh', '.profile', 'inputs.safetensors.tmp', 'x.blob']) {
        writeFileSync(join(path, name), SECRET);
      }
      writeFileSync(join(made.session, 'README'), SECRET);
      linkSync(made.secret, join(made.session, 'processes', 'other.json'));
      const destination = await extract(made, options);
      const expected = [
        made.dump,
        // A file that can't be read keeps a call from being converted.
        join(made.dump, 'inputs.safetensors'),
        join(made.dump, 'metadata.jsonl'),
        'processes',
        join('processes', 'uid4242.json'),
        'session.jsonl',
      ];
      expect(namesIn(destination)).toEqual(expected.sort());
    });

    it.each(['..', '../..', '/etc', 'a/..', '../secret', 'graph_flushes/flush_0001', '..\\..'])(
      'keeps the record of a dump named %j and nothing else',
      async (name) => {
        const made = hostile();
        const line = readFileSync(join(made.session, 'session.jsonl'), 'utf8').trimEnd().split('\n')[0] ?? '';
        const record = { ...JSON.parse(line), dump_dir: name };
        writeFileSync(join(made.session, 'session.jsonl'), `${JSON.stringify(record)}\n`);
        const destination = await extract(made, options);
        expect(openSession(destination).calls.length).toBe(openSession(made.session).calls.length);
        expect(everything(destination)).not.toContain(SECRET);
      },
    );

    it('does not follow a dump directory that is a link', async () => {
      const made = hostile();
      const elsewhere = join(made.dir, 'session', '.elsewhere');
      renameSync(join(made.session, made.dump), elsewhere);
      symlinkSync(elsewhere, join(made.session, made.dump));
      const destination = await extract(made, options);
      expect(existsSync(join(destination, made.dump))).toBe(false);
      expect(openSession(destination).calls[0]?.problem).toBe('its dump directory is missing');
    });

    it('takes no blob from outside, nor one under another name', async () => {
      const sha256 = createHash('sha256').update(SECRET).digest('hex');
      const blob = (name: string) => ({
        dtype: 'uint8' as const,
        shape: [SECRET.length],
        data: { sha256: name },
      });
      const inputs = { arg_0: blob(sha256), arg_1: blob('../../secret'), arg_2: blob('__proto__') };
      const made = hostile({ inputs });
      mkdirSync(join(made.session, 'blobs'));
      symlinkSync(made.secret, join(made.session, 'blobs', sha256));
      expect(everything(await extract(made, options))).not.toContain(SECRET);
    });

    it('does not take blobs or headers through a directory that links out', async () => {
      const sha256 = createHash('sha256').update(SECRET).digest('hex');
      const made = hostile({
        inputs: { arg_0: { dtype: 'uint8', shape: [SECRET.length], data: { sha256 } } },
      });
      mkdirSync(join(made.dir, 'session', '.x'));
      rmSync(join(made.session, 'processes'), { recursive: true });
      symlinkSync(made.dir, join(made.session, 'blobs'));
      symlinkSync(made.dir, join(made.session, 'processes'));
      writeFileSync(join(made.dir, 'session', '.x', sha256), '');
      expect(everything(await extract(made, options))).not.toContain(SECRET);
    });

    it('never allocates what a layout claims', async () => {
      const claim = { stride: [2 ** 40, 1], offset: 2 ** 40, storageBytes: 2 ** 50 };
      const inputs = {
        arg_0: { ...tensorOf('float32', [1, 2, 3, 4], [2, 2]), ...claim, storage: 1 },
        arg_1: { ...tensorOf('float32', [1, 2]), storage: 1 },
        arg_2: { dtype: 'float32' as const, shape: [2 ** 20, 2 ** 20], stride: [2 ** 20, 1], storage: 1 },
      };
      const made = hostile({ inputs });
      const destination = await extract(made, options);
      const session = openSession(destination);
      const [call] = session.calls;
      if (call === undefined) throw new Error('no call');
      const dump = session.openDump(call);
      expect(dump.tensor('inputs', 'arg_0')).toMatchObject({ stride: claim.stride, offset: claim.offset });
      expect(Buffer.from(dump.tensor('inputs', 'arg_0').logicalBytes())).toEqual(
        Buffer.from(tensorOf('float32', [1, 2, 3, 4]).bytes ?? []),
      );
      dump.close();
    });

    it('keeps keys that objects have by themselves', async () => {
      const made = hostile();
      const path = join(made.session, made.dump, 'metadata.jsonl');
      const [first = '', last = ''] = readFileSync(path, 'utf8').split('\n');
      const hostileLine = (line: string) =>
        line.replace(
          '"tensors":{',
          '"tensors":{"__proto__":{"data":{"file":"inputs.safetensors","key":"constructor"}},',
        );
      for (const file of [path, join(made.session, 'session.jsonl')]) {
        writeFileSync(file, `${hostileLine(first)}\n${hostileLine(last)}\n`);
      }
      const destination = await extract(made, options);
      expect(readFileSync(join(destination, 'session.jsonl'), 'utf8')).toContain('"__proto__":{"data"');
      expect(({} as { data?: unknown }).data).toBeUndefined();
    });

    it('leaves a call whose values disagree as it is', async () => {
      const inputs = {
        arg_0: { ...tensorOf('float32', [1, 2]), storage: 1 },
        arg_1: { ...tensorOf('float32', [9, 3]), storage: 1, offset: 1 },
      };
      const made = hostile({ inputs });
      const opened = openSession(made.session);
      const destination = join(made.dir, 'out');
      const result = await extractSession({ session: opened, calls: [1], destination, ...options });
      expect(result.unconverted.map(({ reason }) => reason)).toEqual(
        options.format === 'torch' ? [expect.stringContaining('overlaps another tensor')] : [],
      );
      expect(readdirSync(join(destination, made.dump)).sort()).toEqual([
        'inputs.safetensors',
        'metadata.jsonl',
      ]);
    });
  },
);

it('a record that grows while it is read is taken as far as it came', async () => {
  const made = hostile();
  const opened = openSession(made.session);
  appendFileSync(join(made.session, 'session.jsonl'), '{"function_name":"half');
  const destination = join(made.dir, 'out');
  await extractSession({ session: opened, calls: [1], destination });
  expect(openSession(destination).unreadable).toEqual([]);
});
