import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { linesOf, NO_PID, prune } from '../../support/prune.js';
import { hashTree } from '../../support/session-content.js';
import { tensorOf, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

let session: string;
/** Somebody's own files, beside the session. */
let outside: string;
let dumps: string[];

beforeEach(() => {
  const dir = makeTempDir();
  session = join(dir, 'session');
  outside = join(dir, 'outside');
  const call = { functionName: 'f', pid: NO_PID, inputs: { arg_0: tensorOf('float32', [1]) } };
  const header = { ended_at: '2026-11-24T15:00:00.000Z' };
  dumps = writeSession(session, [call, call, call], { header }).map(({ dump }) => dump);
  mkdirSync(join(outside, 'deep'), { recursive: true });
  for (const name of ['metadata.jsonl', 'inputs.pt', 'deep/inputs.pt', 'f'.repeat(64)]) {
    writeFileSync(join(outside, name), 'mine');
  }
});

/** Prunes everything that there is, repairs included, and holds what is outside against what it was. */
async function pruneAll() {
  const before = hashTree(outside);
  try {
    return await prune(session, { orphans: true });
  } finally {
    expect(hashTree(outside)).toBe(before);
  }
}

function recordOf(dumpDir: string): string {
  const record = JSON.parse(linesOf(session)[0] ?? '');
  return `${JSON.stringify({ ...record, dump_dir: dumpDir })}\n`;
}

describe('a session that wants other files deleted', () => {
  test('by a dump that is a link: the link and its record stay', async () => {
    rmSync(join(session, dumps[0] ?? ''), { recursive: true });
    symlinkSync(outside, join(session, dumps[0] ?? ''));
    const { plan } = await pruneAll();
    expect(plan.staying.map(({ reason }) => reason)).toEqual(['its dump directory is a symbolic link']);
    expect(openSession(session).calls.map(({ dump }) => dump)).toEqual([dumps[0]]);
  });

  test('by a tensor file that is a link: the link alone goes', async () => {
    rmSync(join(session, dumps[0] ?? '', 'inputs.safetensors'));
    symlinkSync(join(outside, 'inputs.pt'), join(session, dumps[0] ?? '', 'inputs.safetensors'));
    await pruneAll();
    expect(existsSync(join(session, dumps[0] ?? ''))).toBe(false);
  });

  test('by links in place of snapshots, or of their directory', async () => {
    symlinkSync(outside, join(session, dumps[0] ?? '', 'graph_flushes'));
    mkdirSync(join(session, dumps[1] ?? '', 'graph_flushes'));
    symlinkSync(outside, join(session, dumps[1] ?? '', 'graph_flushes', 'flush_0001'));
    const { plan } = await pruneAll();
    expect(plan.staying).toHaveLength(2);
  });

  test('by a place for dropped dumps that is a link', async () => {
    symlinkSync(outside, join(session, '.dropped'));
    await expect(pruneAll()).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    expect(openSession(session).calls).toHaveLength(3);
  });

  test('by blobs/ and processes/ that are links, and by links in them', async () => {
    rmSync(join(session, 'processes'), { recursive: true });
    symlinkSync(outside, join(session, 'processes'));
    symlinkSync(outside, join(session, 'blobs'));
    await pruneAll();
    rmSync(join(session, 'blobs'));
    mkdirSync(join(session, 'blobs'));
    symlinkSync(join(outside, 'f'.repeat(64)), join(session, 'blobs', 'f'.repeat(64)));
    await pruneAll();
    expect(existsSync(join(session, 'blobs', 'f'.repeat(64)))).toBe(true);
  });

  test('by an index that is a link: nothing is written through or over it', async () => {
    const elsewhere = join(session, 'elsewhere.txt');
    renameSync(join(session, 'session.jsonl'), elsewhere);
    symlinkSync(elsewhere, join(session, 'session.jsonl'));
    await expect(pruneAll()).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    expect(readFileSync(elsewhere, 'utf8').split('\n')).toHaveLength(7);
  });

  test.each([
    '../outside',
    '/etc',
    '..',
    '.',
    'x/blobs',
    'x/processes',
    'x/.git',
    'x/.dropped',
    'x/src',
    'x/session.jsonl',
    'x/__proto__',
  ])('by a record that names %s: the record goes, and nothing else does', async (name) => {
    for (const directory of ['blobs', '.git', 'src'])
      mkdirSync(join(session, directory), { recursive: true });
    writeFileSync(join(session, 'blobs', 'metadata.jsonl'), 'mine');
    writeFileSync(join(session, '.git', 'inputs.pt'), 'mine');
    writeFileSync(join(session, 'src', 'main.c'), 'mine');
    appendFileSync(join(session, 'session.jsonl'), recordOf(name));
    await pruneAll();
    for (const file of ['blobs/metadata.jsonl', '.git/inputs.pt', 'src/main.c', 'session.jsonl']) {
      expect(existsSync(join(session, file)), file).toBe(true);
    }
    expect(existsSync(join(session, 'processes', `uid${NO_PID}.json`))).toBe(true);
  });

  test('by names that look like leftovers, and are directories, links or only alike', async () => {
    mkdirSync(join(session, 'session.jsonl.1.ab.tmp'));
    writeFileSync(join(session, 'session.jsonl.1.ab.tmp', 'mine'), 'mine');
    symlinkSync(join(outside, 'inputs.pt'), join(session, 'session.jsonl.2.ab.tmp'));
    writeFileSync(join(session, 'my.session.jsonl.tmp'), 'mine');
    mkdirSync(join(session, '.x.0123456789ab.partial', 'src'), { recursive: true });
    const { plan } = await pruneAll();
    expect([...(plan.repairs?.strangers ?? [])].sort()).toEqual([
      '.x.0123456789ab.partial',
      'my.session.jsonl.tmp',
      'session.jsonl.1.ab.tmp',
      'session.jsonl.2.ab.tmp',
    ]);
    expect(plan.repairs?.leftovers).toEqual([]);
  });
});
