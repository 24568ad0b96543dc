import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takenBy } from '../../support/session-size.js';
import { type ProgramCall, ProgramRun, programs } from './random-program.js';
import { type Limits, type NumberedSession, needsIn, readNumbered, recorderFor } from './recorders.js';

/** Of every kept call whose record says nothing of lost state: what a replay of the whole program would run for it. */
function missingState(
  needs: ReadonlyMap<number, Set<number>>,
  { byNumber, lost, refused }: NumberedSession,
  isStopping: boolean,
): string[] {
  const missing: string[] = [];
  for (const number of byNumber.keys()) {
    const needed = [...(needs.get(number) ?? [])];
    // A call that can't be run, and what needs it, is passed over by a replay, with the reason.
    const isPassedOver = (call: number): boolean => refused.has(call) || (isStopping && lost.has(call));
    if (lost.has(number) || needed.some(isPassedOver)) continue;
    for (const call of needed) {
      if (!byNumber.has(call)) missing.push(`${number} needs ${call}, which was dropped`);
      else if (lost.has(call)) missing.push(`${number} needs ${call}, which can't be replayed`);
    }
  }
  return missing;
}

/** Runs a program without limits, then within some, and holds what is kept at each step against the whole. */
async function checkProgram(
  program: readonly ProgramCall[],
  limits: Limits,
  check: (kept: NumberedSession, directory: string) => void,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fir-test-'));
  try {
    const all = join(root, 'all');
    await new ProgramRun(recorderFor(all, { isStopping: true }).recorder).run(program);
    const whole = readNumbered(all);
    expect(whole.lost.size).toBe(0);
    const needs = needsIn(whole);
    const some = join(root, 'some');
    const { recorder, header } = recorderFor(some, limits);
    const run = new ProgramRun(recorder, () => {
      if (!existsSync(some)) return;
      const kept = readNumbered(some);
      expect(kept.session.unreadableCount).toBe(0);
      expect(missingState(needs, kept, limits.isStopping === true)).toEqual([]);
      check(kept, some);
    });
    await run.run(program);
    recorder.close();
    expect(header.header.errors).toEqual([]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function withoutPromises(program: readonly ProgramCall[]): ProgramCall[] {
  return program.map((call) => ({ ...call, pendingFor: 0, inner: withoutPromises(call.inner) }));
}

function withoutBuffers(program: readonly ProgramCall[]): ProgramCall[] {
  return program.map((call) => ({ ...call, buffers: [], inner: withoutBuffers(call.inner) }));
}

describe('of a program that makes objects, nests calls and leaves promises pending, each call keeps what its replay runs', () => {
  it('within a number of calls', async () => {
    const cases = fc.asyncProperty(programs(30), fc.integer({ min: 1, max: 12 }), (program, maxCount) =>
      checkProgram(program, { maxCount }, ({ session }) => {
        expect(session.calls.length).toBeLessThanOrEqual(maxCount);
      }),
    );
    await fc.assert(cases, { numRuns: 25 });
  });

  it('within a size', async () => {
    const cases = fc.asyncProperty(programs(20), fc.integer({ min: 10, max: 60 }), (program, kib) =>
      // A call that is pending keeps its place.
      checkProgram(withoutPromises(program), { maxBytes: kib * 1024 }, (_kept, directory) => {
        expect(takenBy(directory).bytes).toBeLessThanOrEqual(kib * 1024);
      }),
    );
    await fc.assert(cases, { numRuns: 15 });
  });

  it('within a number of calls of each function', async () => {
    const cases = fc.asyncProperty(programs(20), fc.integer({ min: 1, max: 4 }), (program, maxPerFunction) =>
      checkProgram(program, { maxPerFunction }, () => undefined),
    );
    await fc.assert(cases, { numRuns: 15 });
  });

  it('within a number of calls of each function where nothing is dropped', async () => {
    const cases = fc.asyncProperty(programs(20), fc.integer({ min: 1, max: 4 }), (program, maxPerFunction) =>
      checkProgram(withoutBuffers(program), { maxPerFunction, isStopping: true }, ({ session }) => {
        const counts = new Map<string, number>();
        for (const { functionName } of session.calls) {
          counts.set(functionName, (counts.get(functionName) ?? 0) + 1);
        }
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(maxPerFunction);
      }),
    );
    await fc.assert(cases, { numRuns: 15 });
  });
});
