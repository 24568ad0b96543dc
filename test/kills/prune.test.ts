import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { closureOf } from '../../src/core/retain/index.js';
import { openSession, type Session } from '../../src/core/session/index.js';
import { nodeUnderTest, repository, runProcess } from '../support/fir.js';
import { copyFixture } from '../support/flashinfer-fixtures.js';
import { entriesIn, NO_PID, type PruneWish, prune } from '../support/prune.js';
import { contentOf, hashTree } from '../support/session-content.js';
import { tensorOf, type WrittenCall, writeSession } from '../support/session-writer.js';
import { makeTempDir } from '../support/temp-dir.js';

const KILLER = join(repository, 'test', 'fixtures', 'prune', 'kill-at.cjs');
const CHILDREN = 2;

/** A program that prunes, small enough to start a few hundred times. */
async function buildPruner(dir: string): Promise<string> {
  const outfile = join(dir, 'pruner.mjs');
  await build({
    stdin: {
      contents: `
        import { pruneSession } from ${JSON.stringify(join(repository, 'src', 'core', 'retain', 'prune-session.ts'))};
        const { keep, ...options } = JSON.parse(process.argv[2]);
        await pruneSession({ ...options, keep: new Set(keep) }, { onPlan: async () => true });`,
      resolveDir: repository,
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  return outfile;
}

/** What a replay of a call would run, by dump. */
function stateOf(session: Session, dump: string): (string | undefined)[] {
  const call = session.callOf(dump);
  const added = closureOf(session, new Set([call?.number ?? 0]), {}).added;
  return added.map(({ call: number }) => session.calls[number - 1]?.dump);
}

function alone(content: ReturnType<typeof contentOf>): unknown[] {
  return content.map(({ facts: { generation: _generation, ...facts }, ...rest }) => ({ ...rest, facts }));
}

/** Kills a prune at every moment at which it changes something. Gives how many there are. */
async function killEverywhere(source: string, wish: PruneWish): Promise<number> {
  const dir = makeTempDir();
  const pruner = await buildPruner(dir);
  const whole = join(dir, 'whole');
  cpSync(source, whole, { recursive: true });
  const { plan } = await prune(whole, wish);
  const wanted = hashTree(whole);
  const before = openSession(source);
  const gone = new Set(plan.dropped.map((dropped) => dropped.dump));
  const kept = before.calls.filter(({ dump }) => !gone.has(dump.split('/')[0] ?? ''));
  const content = alone(contentOf(before, kept));
  const states = kept.map(({ dump }) => stateOf(before, dump));
  const options = { chosen: {}, bounds: {}, orphans: false, stateful: {}, dryRun: false, asked: {}, ...wish };

  /** False where the prune came to its end. */
  const killAt = async (moment: number): Promise<boolean> => {
    const path = join(dir, `killed${moment}`);
    cpSync(source, path, { recursive: true });
    const args = ['--require', KILLER, pruner, JSON.stringify({ keep: [], ...options, path })];
    const result = await runProcess(nodeUnderTest, args, { env: { FIR_TEST_KILL_AT: String(moment) } });
    expect(result.stderr).toBe('');
    if (result.signal === null) {
      expect(hashTree(path)).toBe(wanted);
      return false;
    }
    const session = openSession(path);
    const own = kept.flatMap(({ dump }) => session.callOf(dump) ?? []);
    expect(alone(contentOf(session, own)), `killed at ${moment}`).toEqual(content);
    expect(kept.map(({ dump }) => stateOf(session, dump))).toEqual(states);
    // Whatever is there still has all that it needs.
    const all = new Set(session.calls.map(({ number }) => number));
    expect(closureOf(session, all, {}).unready).toEqual([]);
    expect(session.calls.filter(({ problem }) => problem !== undefined)).toEqual([]);
    await prune(path, wish);
    expect(hashTree(path), `finished after ${moment}`).toBe(wanted);
    rmSync(path, { recursive: true });
    return true;
  };

  for (let moment = 1; ; moment += CHILDREN) {
    const moments = Array.from({ length: CHILDREN }, (_, index) => moment + index);
    const killed = await Promise.all(moments.map(killAt));
    if (killed.includes(false)) return moment + killed.indexOf(false) - 1;
  }
}

/** Objects with a history, content under blobs/, a segment for each half of the calls. */
function writeMixed(path: string): void {
  const blob = 'f16e2cb75c8cbcc3e4ad9bd0bdb0c2ee58ee3f27c1ba2fca18c7f5a1a5d6d1c9';
  const call = (functionName: string, selfId?: number): WrittenCall => ({
    functionName,
    pid: NO_PID,
    inputs: { arg_0: tensorOf('float32', [1, 2, 3]) },
    outputs: { result: tensorOf('float32', [4]) },
    ...(selfId === undefined ? {} : { selfId, fir: { self_class: 'K' } }),
    ...(functionName === 'K.__init__' ? { kind: 'constructor' as const } : {}),
  });
  const calls = [
    call('K.__init__', 1),
    call('f'),
    call('K.run', 1),
    call('K.__init__', 2),
    { ...call('f'), inputs: { arg_0: { ...tensorOf('float32', [0]), data: { sha256: blob } } } },
    call('K.run', 2),
    call('f'),
    call('K.run', 2),
  ];
  writeSession(path, calls, { header: { ended_at: '2026-11-24T15:00:00.000Z' } });
  const index = join(path, 'session.jsonl');
  const lines = readFileSync(index, 'utf8').split('\n').filter(Boolean);
  rmSync(index);
  [lines.slice(0, 9), lines.slice(9)].forEach((own, part) => {
    writeFileSync(join(path, `session.uid${NO_PID}.${part + 1}.jsonl`), `${own.join('\n')}\n`);
  });
  cpSync(
    join(path, entriesIn(path).find((name) => name.endsWith('inputs.safetensors')) ?? ''),
    join(path, 'blobs', blob),
  );
}

describe('killed at any moment that changes something', () => {
  test('a prune leaves a session whose kept calls are as they were, and the next one ends the work', async () => {
    const source = join(makeTempDir(), 'session');
    writeMixed(source);
    const bounds = { calls: 4 };
    expect(await killEverywhere(source, { bounds })).toBeGreaterThan(30);
  }, 300_000);

  test('so it is with FlashInfer’s calls and their snapshots', async () => {
    const snapshots = { chosen: { include: ['inplace_add'] } };
    expect(await killEverywhere(copyFixture('stateful_pt'), { bounds: { calls: 7 } })).toBeGreaterThan(40);
    expect(await killEverywhere(copyFixture('graph_flush'), snapshots)).toBeGreaterThan(20);
  }, 300_000);
});
