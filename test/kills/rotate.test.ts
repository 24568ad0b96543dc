import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program, readCaptured } from '../e2e/captured.js';
import { faultsIn, replaySummary } from '../e2e/rotated.js';
import { nodeUnderTest, repository, runProcess, temporaryDirectory } from '../support/fir.js';
import { namesIn } from '../support/session-size.js';

const KILLS = 120;
/** Each of these is replayed too. */
const REPLAYED = 12;
const MAX_COUNT = 30;

/** Runs a program until it is killed, that long after its session is there. */
async function killDuring(
  session: string,
  args: readonly string[],
  ms: number,
): Promise<NodeJS.Signals | null> {
  const env = {
    NODE_OPTIONS: `--require "${join(repository, 'dist', 'preload', 'register.cjs')}"`,
    FIR_LOGLEVEL: '10',
    FIR_DUMP_DIR: session,
    FIR_DUMP_ON_LIMIT: 'rotate',
    FIR_DUMP_MAX_COUNT: String(MAX_COUNT),
    FIR_LOGDEST: '/dev/null',
  };
  const { signal } = await runProcess(nodeUnderTest, [program('rotate-calls.mjs'), ...args], {
    env,
    onSpawn: (pid) => {
      const segments = (): number =>
        namesIn(session).filter((name) => /^session\..*\.jsonl$/.test(name)).length;
      const before = segments();
      const timer = setInterval(() => {
        if (segments() === before) return;
        clearInterval(timer);
        setTimeout(() => process.kill(pid, 'SIGKILL'), ms);
      }, 2);
    },
  });
  return signal;
}

describe(`a program whose calls rotate, killed at ${KILLS} moments`, () => {
  it('leaves sessions that open, within their limits, whose every call has what it needs', async () => {
    let replayed = 0;
    let dropped = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Every fourth time another process finds what the last one left.
      const isFirst = kill % 4 !== 3;
      const session = isFirst ? join(temporaryDirectory(), 'session') : last;
      last = session;
      const signal = await killDuring(
        session,
        ['0', kill % 3 === 0 ? '1' : '0', '4096'],
        1 + ((kill * 37) % 180),
      );
      expect(signal).toBe('SIGKILL');
      const { calls, withoutRecord } = readCaptured(session);
      // A call that was about to begin in each thread may have left its directory.
      expect(withoutRecord).toBeLessThanOrEqual(isFirst ? 2 : 4);
      expect(calls.length).toBeLessThanOrEqual(MAX_COUNT);
      expect(faultsIn(session)).toEqual([]);
      dropped += Math.max(0, (calls.at(-1)?.fir.sequence ?? 0) - MAX_COUNT);
      if (kill % Math.floor(KILLS / REPLAYED) !== 0) continue;
      replayed += 1;
      const summary = await replaySummary(session);
      // What never ended is run to its end, and there is nothing to compare it with.
      expect(summary).toMatch(/^\d+ passed, .*\b0 mismatches/);
      expect(summary).not.toMatch(/error|crash|timeout/);
    }
    expect(replayed).toBeGreaterThanOrEqual(REPLAYED);
    expect(dropped).toBeGreaterThan(KILLS);
  }, 300_000);
});

let last = '';
