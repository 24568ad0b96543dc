import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closureOf } from '../../../src/core/retain/index.js';
import { openSession } from '../../../src/core/session/index.js';
import { copyFixture } from '../../support/flashinfer-fixtures.js';
import { entriesIn, linesOf, NO_PID, type PruneWish, prune } from '../../support/prune.js';
import { contentOf, hashTree } from '../../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { generatedSession, writeGenerated } from '../store/generated-sessions.js';

const ENDED = { header: { ended_at: '2026-11-24T15:00:00.000Z' } };

function plain(name: string, more: Partial<WrittenCall> = {}): WrittenCall {
  return { functionName: name, pid: NO_PID, inputs: { arg_0: tensorOf('float32', [1, 2]) }, ...more };
}

/** A session at rest, of a process that has ended. */
function sessionOf(calls: readonly WrittenCall[]): { path: string; dumps: string[] } {
  const path = join(makeTempDir(), 'session');
  return { path, dumps: writeSession(path, calls, ENDED).map(({ dump }) => dump) };
}

function dumpsIn(path: string): string[] {
  return openSession(path).calls.map(({ dump }) => dump);
}

describe('the index', () => {
  test('loses the lines of what goes and keeps the bytes, the order and the mode of all others', async () => {
    const { path, dumps } = sessionOf(['f', 'g', 'f', 'g'].map((name) => plain(name)));
    const index = join(path, 'session.jsonl');
    const odd = ['{"function_name" : "h", "one": 1.0, "new": [1e5] ', 'torn {"fun', ''];
    const lines = linesOf(path);
    writeFileSync(index, [...lines.slice(0, 2), ...odd, ...lines.slice(2)].join('\n'));
    chmodSync(index, 0o640);
    const result = await prune(path, { chosen: { include: ['f'] } });
    expect(result.plan.dropped.map(({ dump }) => dump)).toEqual([dumps[0], dumps[2]]);
    expect(readFileSync(index, 'utf8')).toBe([...odd, lines[2], lines[3], lines[6], lines[7]].join('\n'));
    expect(statSync(index).mode & 0o777).toBe(0o640);
    expect(entriesIn(path).filter((name) => name.startsWith('.') || name.endsWith('.tmp'))).toEqual([]);
  });

  test('is left alone where somebody wrote to it meanwhile, and so is everything else', async () => {
    const { path, dumps } = sessionOf([plain('f'), plain('g')]);
    const line = linesOf(path)[0];
    const pruning = prune(path, { chosen: { include: ['f'] } }, () => {
      appendFileSync(join(path, 'session.jsonl'), `${line}\n`);
      return true;
    });
    await expect(pruning).rejects.toMatchObject({ code: 'SESSION_IN_USE' });
    expect(dumpsIn(path)).toEqual(dumps);
    expect(linesOf(path)).toHaveLength(5);
  });

  test('may stand in segments, and each is rewritten', async () => {
    const { path, dumps } = sessionOf(['f', 'g', 'f', 'g'].map((name) => plain(name)));
    const lines = linesOf(path);
    rmSync(join(path, 'session.jsonl'));
    writeFileSync(
      join(path, 'session.uid.1.jsonl'),
      lines
        .slice(0, 3)
        .map((line) => `${line}\n`)
        .join(''),
    );
    writeFileSync(
      join(path, 'session.uid.2.jsonl'),
      lines
        .slice(3)
        .map((line) => `${line}\n`)
        .join(''),
    );
    await prune(path, { chosen: { include: ['g'] } });
    expect(linesOf(path, 'session.uid.1.jsonl')).toEqual(lines.slice(0, 2));
    expect(linesOf(path, 'session.uid.2.jsonl')).toEqual(lines.slice(4, 6));
    expect(dumpsIn(path)).toEqual([dumps[0], dumps[2]]);
  });

  test('stays a session when nothing is left of it, one that had none too', async () => {
    const { path } = sessionOf([plain('f')]);
    await prune(path, {});
    expect(openSession(path).calls).toEqual([]);
    const lost = sessionOf([plain('f')]).path;
    rmSync(join(lost, 'session.jsonl'));
    await prune(lost, {});
    expect(openSession(lost).calls).toEqual([]);
  });
});

describe('what may go', () => {
  const calls = [
    plain('f'),
    plain('f', { status: 'failed' }),
    plain('g', { status: 'inputs_saved' }),
    plain('f'),
    plain('g'),
    plain('g'),
  ];

  const wishes: [PruneWish, number[]][] = [
    [{ chosen: { include: ['g'] } }, [3, 5, 6]],
    [{ chosen: { exclude: ['g'] } }, [1, 2, 4]],
    [{ chosen: { status: ['failed', 'inputs_saved'] } }, [2, 3]],
    [{ chosen: { include: ['g'], status: ['completed'] } }, [5, 6]],
    [{ chosen: { untilMs: Date.UTC(2026, 10, 24, 14, 32, 17) + 2 } }, [1, 2, 3]],
    [{ keep: ['failed', 'unfinished'] }, [1, 4, 5, 6]],
    [{ keep: ['first'] }, [2, 4, 5, 6]],
    [{ keep: ['last'] }, [1, 2, 3, 5]],
    [{ keep: ['failed'], bounds: { calls: 3 } }, [1, 3, 4]],
    [{ chosen: { include: ['g'] }, bounds: { calls: 5 } }, [3]],
    [{ bounds: { calls: 6 } }, []],
    [{ chosen: undefined, orphans: true }, []],
  ];
  test.each(wishes)('%j', async (wish, expected) => {
    const { path, dumps } = sessionOf(calls);
    await prune(path, wish);
    expect(dumpsIn(path)).toEqual(dumps.filter((_, index) => !expected.includes(index + 1)));
  });

  test('is told and stays as it is in a dry run, and where the answer is no', async () => {
    const { path } = sessionOf(calls);
    const before = hashTree(path);
    const { plan, isDone } = await prune(path, { dryRun: true });
    expect([plan.droppedCalls, plan.callsLeft, isDone]).toEqual([6, 0, false]);
    expect(await prune(path, {}, () => false)).toMatchObject({ isDone: false });
    expect(hashTree(path)).toBe(before);
  });

  test('is counted in bytes of files, and what is left is as much as was said', async () => {
    const { path } = sessionOf(calls.map((call, index) => ({ ...call, durationUs: 10 ** index })));
    const { plan } = await prune(path, { dryRun: true, bounds: {}, keep: ['first'] });
    await prune(path, { bounds: { bytes: plan.bytesLeft }, keep: ['first'] });
    const left = await prune(path, { dryRun: true });
    expect(left.plan.bytes).toBe(plan.bytesLeft);
    const files = entriesIn(path).map((name) => statSync(join(path, name)));
    expect(files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0)).toBe(
      plan.bytesLeft,
    );
  });
});

describe('contents under blobs/', () => {
  const bytes = Buffer.alloc(64, 7);
  const shas = [1, 2, 3].map((seed) => createHash('sha256').update(Buffer.alloc(64, seed)).digest('hex'));

  function withBlobs(uses: readonly (readonly number[])[]): { path: string; dumps: string[] } {
    const session = sessionOf(
      uses.map((own) =>
        plain('f', {
          inputs: Object.fromEntries(
            own.map((blob, index) => [
              `arg_${index}`,
              { ...tensorOf('float32', Array<number>(16).fill(0)), data: { sha256: shas[blob] ?? '' } },
            ]),
          ),
        }),
      ),
    );
    mkdirSync(join(session.path, 'blobs'));
    shas.forEach((sha256, index) => {
      writeFileSync(join(session.path, 'blobs', sha256), Buffer.alloc(64, index + 1));
    });
    expect(bytes).toHaveLength(64);
    return session;
  }

  test('go with the last call that refers to them', async () => {
    const { path } = withBlobs([[0, 1], [1], [2]]);
    const { plan } = await prune(path, { bounds: { calls: 2 } });
    expect([plan.blobs, plan.blobBytes]).toEqual([1, 64]);
    expect(shas.map((sha256) => existsSync(join(path, 'blobs', sha256)))).toEqual([false, true, true]);
    for (const { tensors } of contentOf(openSession(path))) {
      expect(tensors[0]?.values).toMatch(/^[0-9a-f]{64}$|has 64 bytes|differs/);
    }
  });

  test('stay where the only record that refers to them is the dump’s own, or a dump holds them', async () => {
    const { path, dumps } = withBlobs([[0], [1], [2]]);
    const lines = linesOf(path);
    writeFileSync(
      join(path, 'session.jsonl'),
      lines
        .slice(4)
        .map((line) => `${line}\n`)
        .join(''),
    );
    rmSync(join(path, dumps[1] ?? '', 'metadata.jsonl'));
    linkSync(join(path, 'blobs', shas[1] ?? ''), join(path, dumps[1] ?? '', `${shas[1]}.blob`));
    await prune(path, { chosen: { include: ['nothing'] } });
    expect(shas.map((sha256) => existsSync(join(path, 'blobs', sha256)))).toEqual([true, true, true]);
    await prune(path, { chosen: { status: ['no_record'] } });
    expect(shas.map((sha256) => existsSync(join(path, 'blobs', sha256)))).toEqual([true, false, true]);
  });
});

describe('repair', () => {
  test('takes dumps without records, records without dumps, unreadable lines and unfinished files', async () => {
    const { path, dumps } = sessionOf(['f', 'g', 'h'].map((name) => plain(name)));
    const [first = '', second = '', third = ''] = dumps;
    rmSync(join(path, first), { recursive: true });
    const lines = linesOf(path);
    const index = join(path, 'session.jsonl');
    writeFileSync(index, ['not json', ...lines.slice(0, 4), '', ...lines.slice(4), '{"torn'].join('\n'));
    mkdirSync(join(path, `20261124_143217_900_pid${NO_PID}_lost_call0001`));
    mkdirSync(join(path, 'processes'), { recursive: true });
    mkdirSync(join(path, 'blobs'));
    mkdirSync(join(path, '.dropped', 'old'), { recursive: true });
    mkdirSync(join(path, '.out.0123456789ab.partial', second), { recursive: true });
    const leftovers = [
      `${second}/outputs.safetensors.ab12.tmp`,
      'session.jsonl.12.ab.tmp',
      'processes/uid.json.uid.tmp',
      `blobs/${'a'.repeat(64)}.uid.tmp`,
      '.dropped/old/inputs.pt',
      `.out.0123456789ab.partial/${second}/inputs.pt`,
    ];
    for (const name of leftovers) writeFileSync(join(path, name), 'x');
    utimesSync(join(path, '.out.0123456789ab.partial'), 0, 0);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    const { plan } = await prune(path, { chosen: undefined, orphans: true });
    expect(plan.dropped.map(({ useless }) => useless)).toEqual([
      'a record without a dump: its dump directory is missing',
      'a dump without a record: its dump directory is empty',
    ]);
    expect(plan.repairs?.lines).toBe(3);
    expect(plan.repairs?.strangers).toEqual(['notes.txt']);
    expect(linesOf(path)).toEqual(lines.slice(2));
    expect(dumpsIn(path)).toEqual([second, third]);
    expect(leftovers.filter((name) => existsSync(join(path, name)))).toEqual([]);
    expect(existsSync(join(path, '.out.0123456789ab.partial'))).toBe(false);
    expect(readFileSync(join(path, 'notes.txt'), 'utf8')).toBe('mine');
    expect((await prune(path, { chosen: undefined, orphans: true })).plan.isEmpty).toBe(true);
  });

  test('leaves the record of a lost call that a kept one needs: without it another state would be taken', async () => {
    const made = { pid: NO_PID, selfId: 1, fir: { self_class: 'K' } };
    const { path, dumps } = sessionOf([
      { ...made, functionName: 'K.__init__', kind: 'constructor' },
      { ...made, functionName: 'K.plan' },
      { ...made, functionName: 'K.plan' },
      { ...made, functionName: 'K.run' },
      { ...made, functionName: 'K.plan' },
    ]);
    rmSync(join(path, dumps[2] ?? ''), { recursive: true });
    rmSync(join(path, dumps[4] ?? ''), { recursive: true });
    const { plan } = await prune(path, { chosen: undefined, orphans: true, stateful: { K: ['plan'] } });
    expect(plan.needed.map(({ entry, neededBy }) => [entry.number, neededBy])).toEqual([[3, 4]]);
    expect(dumpsIn(path)).toEqual(dumps.slice(0, 4));
  });

  test('leaves what a filter that may be at work is writing', async () => {
    const { path } = sessionOf([plain('f')]);
    mkdirSync(join(path, '.out.0123456789ab.partial'));
    const { plan } = await prune(path, { chosen: undefined, orphans: true });
    expect(plan.repairs?.strangers).toEqual(['.out.0123456789ab.partial']);
  });
});

describe('what is none of its business', () => {
  test('stays, with the call in whose dump it stands', async () => {
    const { path, dumps } = sessionOf([plain('f'), plain('f')]);
    writeFileSync(join(path, dumps[0] ?? '', 'notes.txt'), 'mine');
    mkdirSync(join(path, dumps[0] ?? '', 'inputs.pt'));
    const { plan } = await prune(path, {});
    expect(plan.staying.map(({ entry, reason }) => [entry.number, reason])).toEqual([
      [1, expect.stringMatching(/^its dump directory holds (notes\.txt|inputs\.pt), which is no dump's$/)],
    ]);
    expect(dumpsIn(path)).toEqual([dumps[0]]);
    expect(linesOf(path)).toHaveLength(2);
  });

  test('a dump directory, an index file, and a directory that holds the home directory are refused', async () => {
    const { path, dumps } = sessionOf([plain('f')]);
    const before = hashTree(path);
    for (const place of [join(path, dumps[0] ?? ''), join(path, 'session.jsonl')]) {
      await expect(prune(place, {})).rejects.toMatchObject({ code: 'USAGE' });
    }
    const { HOME } = process.env;
    try {
      process.env['HOME'] = join(path, dumps[0] ?? '');
      await expect(prune(path, {})).rejects.toMatchObject({ code: 'USAGE' });
      process.env['HOME'] = path;
      await expect(prune(path, {})).rejects.toMatchObject({ code: 'USAGE' });
    } finally {
      process.env['HOME'] = HOME;
    }
    expect(hashTree(path)).toBe(before);
  });
});

describe('FlashInfer’s sessions', () => {
  test('lose captured calls with all their snapshots, or keep them', async () => {
    const path = copyFixture('graph_flush');
    const before = contentOf(openSession(path));
    const { plan } = await prune(path, { chosen: { include: ['rms_norm'] } });
    expect(plan.dropped.map(({ entries }) => entries.length)).toEqual([1, 2]);
    expect(contentOf(openSession(path))).toEqual(
      before.filter(({ facts }) => facts['functionName'] !== 'rms_norm'),
    );
    expect(linesOf(path).filter((line) => line.includes('"rms_norm"'))).toEqual([]);
  });

  test('keep what a wrapper’s last run needs', async () => {
    const path = copyFixture('stateful_pt');
    const before = contentOf(openSession(path));
    const chosen = { exclude: ['drifting'] };
    await prune(path, { chosen, keep: ['last'], stateful: { BatchDemoWrapper: ['plan'] } });
    const after = openSession(path);
    expect(after.calls.map(({ functionName }) => functionName)).toEqual([
      'BatchDemoWrapper.__init__',
      'BatchDemoWrapper.plan',
      'BatchDemoWrapper.run',
      'drifting',
    ]);
    expect(closureOf(after, new Set([3]), {}).added.map(({ call }) => call)).toEqual([1, 2]);
    const kept = new Set(after.calls.map(({ dump }) => dump));
    const withoutGeneration = (content: ReturnType<typeof contentOf>) =>
      content.map(({ facts: { generation: _generation, ...facts }, ...rest }) => ({ ...rest, facts }));
    expect(withoutGeneration(contentOf(after))).toEqual(
      withoutGeneration(before.filter(({ dump }) => kept.has(dump))),
    );
  });
});

test('any session keeps the calls that stay: values, records, processes and their order', async () => {
  const dir = makeTempDir();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(generatedSession, fc.nat(), fc.option(fc.nat(14)), async (generated, mask, most) => {
      const path = join(dir, String(count++));
      writeGenerated(path, generated);
      for (const name of entriesIn(path).filter((entry) => entry.startsWith('processes/'))) {
        const header = JSON.parse(readFileSync(join(path, name), 'utf8'));
        writeFileSync(join(path, name), JSON.stringify({ ...header, ended_at: 'then' }));
      }
      const session = openSession(path);
      const before = contentOf(session);
      const names = ['f', 'g', 'K.__init__', 'K.run'].filter((_, bit) => ((mask >> bit) & 1) === 1);
      const bounds = most === null ? {} : { calls: most };
      const { plan } = await prune(path, { chosen: { include: [...names, 'none'] }, bounds });
      const gone = new Set(plan.dropped.map(({ dump }) => dump));
      const alone = ({ facts, ...rest }: (typeof before)[number]) => {
        const { parent: _parent, generation: _generation, ...own } = facts;
        return { ...rest, facts: own, recordText: undefined };
      };
      const after = openSession(path);
      expect(contentOf(after).map(alone)).toEqual(before.filter(({ dump }) => !gone.has(dump)).map(alone));
      expect(after.unreadableCount).toBe(session.unreadableCount);
      expect(after.calls).toHaveLength(plan.callsLeft);
    }),
    { numRuns: 60 },
  );
}, 120_000);

test('a dump that an interrupted prune had moved aside is gone after the next', async () => {
  const { path, dumps } = sessionOf([plain('f'), plain('g')]);
  mkdirSync(join(path, '.dropped'));
  renameSync(join(path, dumps[0] ?? ''), join(path, '.dropped', dumps[0] ?? ''));
  await prune(path, { bounds: { calls: 1 } });
  expect(existsSync(join(path, '.dropped'))).toBe(false);
  expect(dumpsIn(path)).toEqual([dumps[1]]);
});
