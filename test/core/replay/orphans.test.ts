import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { APP, builtWorker, callOf, replay, temporaryFolder } from '../../support/replay-session.js';
import { writeSession } from '../../support/session-writer.js';

const PARENT = fileURLToPath(new URL('../../fixtures/replay/replay-parent.ts', import.meta.url));

/** A session of one call that writes a process id into a file and never ends. */
function endless(functionName: string): { dir: string; pidFile: string } {
  const dir = temporaryFolder('orphans');
  const pidFile = join(temporaryFolder('pid'), 'pid');
  writeSession(dir, [callOf(functionName, { module: 'hazards.mjs', inputMetadata: { arg_0: pidFile } })]);
  return { dir, pidFile };
}

async function pidFrom(path: string): Promise<number> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await setTimeout(20);
  return Number(readFileSync(path, 'utf8'));
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await setTimeout(50);
  }
}

test('a worker busy in the called code ends when its parent is killed', async () => {
  const bundle = join(temporaryFolder('parent'), 'parent.mjs');
  await build({ entryPoints: [PARENT], outfile: bundle, bundle: true, platform: 'node', format: 'esm' });
  const { dir, pidFile } = endless('tellsAndLoops');
  const parent = spawn(process.execPath, [bundle, dir, APP, await builtWorker()], { stdio: 'inherit' });
  const worker = await pidFrom(pidFile);
  parent.kill('SIGKILL');
  await untilGone(worker);
  expect(worker).toBeGreaterThan(0);
});

test('processes that a call started end with a worker that is killed', async () => {
  const { dir, pidFile } = endless('leavesChild');
  const { verdicts } = await replay(dir, { timeoutMs: 5000 });
  expect(verdicts).toEqual(['1 timeout']);
  await untilGone(await pidFrom(pidFile));
});
