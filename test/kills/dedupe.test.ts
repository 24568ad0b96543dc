import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { dedupeSession } from '../../src/core/store/dedupe-session.js';
import { extractSession } from '../../src/core/store/index.js';
import { nodeUnderTest, repository, runProcess } from '../support/fir.js';
import { fixturePath } from '../support/flashinfer-fixtures.js';
import { writeRecorded } from '../support/recorded-session.js';
import { contentOf, hashTree, valuesOf } from '../support/session-content.js';
import { makeTempDir } from '../support/temp-dir.js';

const KILLER = join(repository, 'test', 'fixtures', 'prune', 'kill-at.cjs');
const CHILDREN = 2;

async function buildDeduper(dir: string): Promise<string> {
  const outfile = join(dir, 'deduper.mjs');
  await build({
    stdin: {
      contents: `
        import { dedupeSession } from ${JSON.stringify(join(repository, 'src', 'core', 'store', 'dedupe-session.ts'))};
        await dedupeSession(process.argv[2], { minBytes: 1 });`,
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

/** Kills it at every moment at which it changes something. Gives how many there are. */
async function killEverywhere(source: string): Promise<number> {
  const dir = makeTempDir();
  const deduper = await buildDeduper(dir);
  const values = valuesOf(openSession(source));
  const whole = join(dir, 'whole');
  cpSync(source, whole, { recursive: true });
  const { calls } = await dedupeSession(whole, { minBytes: 1 });
  expect(calls).toBeGreaterThan(1);
  const wanted = { tree: hashTree(whole), content: contentOf(openSession(whole)) };

  /** False where it came to its end. */
  const killAt = async (moment: number): Promise<boolean> => {
    const path = join(dir, `killed${moment}`);
    cpSync(source, path, { recursive: true });
    const args = ['--require', KILLER, deduper, path];
    const result = await runProcess(nodeUnderTest, args, { env: { FIR_TEST_KILL_AT: String(moment) } });
    expect(result.stderr).toBe('');
    const session = openSession(path);
    expect(valuesOf(session), `killed at ${moment}`).toEqual(values);
    expect(session.unreadableCount).toBe(0);
    if (result.signal === null) return false;
    await dedupeSession(path, { minBytes: 1 });
    expect(contentOf(openSession(path)), `finished after ${moment}`).toEqual(wanted.content);
    removeUnfinished(path);
    expect(hashTree(path), `finished after ${moment}`).toBe(wanted.tree);
    rmSync(path, { recursive: true });
    return true;
  };

  for (let moment = 1; ; moment += CHILDREN) {
    const moments = Array.from({ length: CHILDREN }, (_, index) => moment + index);
    const killed = await Promise.all(moments.map(killAt));
    if (killed.includes(false)) return moment + killed.indexOf(false) - 1;
  }
}

/** What a killed process began beside its place is a leftover that `fir prune --orphans` takes away. */
function removeUnfinished(path: string): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.tmp')) rmSync(join(path, name));
  }
}

describe('killed at any moment that changes something', () => {
  test('storing contents once leaves all values there, and the next one ends the work', async () => {
    const source = join(makeTempDir(), 'session');
    const weight = (): Float32Array => Float32Array.from({ length: 64 }, (_, index) => index);
    const calls = [0, 1].map((index) => ({
      inputs: { arg_0: weight(), arg_1: Float32Array.of(index, 5) },
      outputs: { result: weight().fill(index) },
      mutated: { arg_0: weight().fill(1) },
    }));
    writeRecorded(source, calls, 'torch');
    expect(await killEverywhere(source)).toBeGreaterThan(40);
  }, 300_000);

  test('so it is with FlashInfer’s calls', async () => {
    const session = openSession(fixturePath('stateful_pt'));
    const destination = join(makeTempDir(), 'session');
    await extractSession({ session, calls: [5, 6, 8, 9], destination });
    expect(await killEverywhere(destination)).toBeGreaterThan(40);
  }, 300_000);
});
