import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReplayPlan } from '../../../src/core/plan/replay-plan.js';
import { SessionPlanSource } from '../../../src/core/plan/session-plan-source.js';
import { type FilterOptions, filterSession } from '../../../src/core/retain/index.js';
import { parseCallRanges } from '../../../src/core/select/index.js';
import { openSession, type Session } from '../../../src/core/session/index.js';
import { generatedCalls } from '../../support/generated-calls.js';
import type { TestCall } from '../../support/plan-source.js';
import { floats, objectRef } from '../../support/replay-session.js';
import { type WrittenCall, writeSession } from '../../support/session-writer.js';
import { makeTempDir } from '../../support/temp-dir.js';

const STATEFUL = { Latest: ['plan'] };

function filter(path: string, options: Partial<FilterOptions> = {}) {
  return filterSession({
    path,
    conditions: {},
    asked: {},
    withClosure: true,
    stateful: STATEFUL,
    destination: undefined,
    ...options,
  });
}

/** Selects the calls of these numbers. */
function numbered(numbers: Iterable<number>) {
  return { call: parseCallRanges([...numbers].join(',')) };
}

/** How a replay of the calls with these dumps would go, by dumps. */
function planned(session: Session, dumps: ReadonlySet<string>) {
  const selected = session.calls.filter(({ dump }) => dumps.has(dump)).map(({ number }) => number);
  const rules = { languageOf: () => 'javascript' as const, isRunnable: () => true };
  const plan = new ReplayPlan(new SessionPlanSource(session, rules, STATEFUL), new Set(selected));
  const dumpOf = (number: number | undefined) =>
    number === undefined ? undefined : session.calls[number - 1]?.dump;
  return plan.lanes
    .flatMap(({ steps }) => steps)
    .map(({ call, isSelected, coveredBy, ambiguousWith }) => ({
      dump: dumpOf(call) ?? '',
      isSelected,
      coveredBy: dumpOf(coveredBy),
      ambiguousWith: dumpOf(ambiguousWith),
    }))
    .sort((a, b) => (a.dump < b.dump ? -1 : 1));
}

/** A generated call as the recorder would have written it. */
function writtenCall(call: TestCall, index: number, sequences: readonly number[]): WrittenCall {
  const [begin, end] = call.time ?? [0, 0];
  const startedAt = new Date(Date.UTC(2026, 10, 24) + begin).toISOString().replace('Z', '000Z');
  const className = call.self === undefined && call.makes === undefined ? undefined : call.name.split('.')[0];
  const storage = call.keeps?.[0] ?? call.changes?.[0];
  const selfId = call.makes ?? call.self;
  return {
    functionName: call.name,
    processUid: call.process ?? 'p',
    pid: call.process === 'q' ? 2 : 1,
    kind: call.makes !== undefined ? 'constructor' : call.self !== undefined ? 'method' : 'function',
    ...(selfId === undefined ? {} : { selfId }),
    ...(storage === undefined ? {} : { inputs: { arg_9: { ...floats(index), storage } } }),
    ...(call.changes === undefined ? { mutated: {} } : { mutated: { arg_9: floats(index + 1) } }),
    inputMetadata: Object.fromEntries(
      (call.args ?? []).map((name, place) => [`arg_${place}`, refFrom(name)]),
    ),
    outputMetadata: call.result?.[0] === undefined ? {} : { result: refFrom(call.result[0]) },
    durationUs: (end - begin) * 1000,
    status: call.status === 'failed' ? 'failed' : 'completed',
    fir: {
      parent: typeof call.parent === 'number' ? (sequences[call.parent] ?? null) : (call.parent ?? null),
      started_at: startedAt,
      resolve: { kind: 'module', root: '/app', module: 'ops.mjs', export: className ?? call.name },
      ...(className === undefined ? {} : { self_class: className }),
      ...(call.makes === undefined ? {} : { constructs: true }),
    },
  };
}

function refFrom(name: string) {
  const [className = '', id = ''] = name.split('#');
  return objectRef(Number(id), className);
}

function writeCalls(directory: string, calls: readonly TestCall[]): void {
  const counts = new Map<string, number>();
  const sequences = calls.map(({ process = 'p' }) => {
    counts.set(process, (counts.get(process) ?? 0) + 1);
    return counts.get(process) ?? 0;
  });
  writeSession(
    directory,
    calls.map((call, index) => writtenCall(call, index, sequences)),
  );
}

const FIXTURES = new URL('../../fixtures/flashinfer/', import.meta.url).pathname;
const RECORDED = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'session.jsonl')));

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fir-test-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let directories = 0;
function fresh(): string {
  directories += 1;
  return join(scratch, String(directories));
}

/** Filters, and holds the result against the whole. Gives the dumps of the new session. */
async function checkExtract(path: string, picked: readonly number[]): Promise<Set<string>> {
  const whole = openSession(path);
  const numbers = picked.map((pick) => (pick % whole.calls.length) + 1);
  const destination = fresh();
  const { plan } = await filter(path, { conditions: numbered(numbers), destination });
  const cut = openSession(destination);
  const kept = new Set(cut.calls.map(({ dump }) => dump));
  const asked = new Set(numbers.map((number) => whole.calls[number - 1]?.dump ?? ''));
  expect([...kept].sort()).toEqual(
    [...plan.selected, ...plan.added.map(({ entry }) => entry)].map(({ dump }) => dump).sort(),
  );
  expect(planned(cut, asked)).toEqual(planned(whole, asked));
  // All that came along replays as it did, too.
  expect(planned(cut, kept)).toEqual(planned(whole, kept));
  return kept;
}

describe('what is cut out of any session', () => {
  test('would be replayed as it would in the whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        generatedCalls,
        fc.array(fc.nat(29), { minLength: 1, maxLength: 4 }),
        async (calls, picked) => {
          const path = fresh();
          writeCalls(path, calls);
          await checkExtract(path, picked);
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each(RECORDED)('of FlashInfer would be, too: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }), async (picked) => {
        await checkExtract(join(FIXTURES, name), picked);
      }),
      { numRuns: 6 },
    );
  });

  test('can be cut again: what is there is what both have, and what that needs', async () => {
    const picks = fc.array(fc.nat(29), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(generatedCalls, picks, picks, async (calls, picked, again) => {
        const path = fresh();
        writeCalls(path, calls);
        const first = await checkExtract(path, picked);
        const whole = openSession(path);
        const both = again
          .map((pick) => whole.calls[pick % whole.calls.length])
          .filter((call) => call !== undefined && first.has(call.dump));
        if (both.length === 0) return;
        const once = fresh();
        const twice = fresh();
        await filter(path, {
          conditions: numbered(numbersIn(whole, first)),
          destination: once,
        });
        const cut = openSession(once);
        const wanted = new Set(both.map((call) => call?.dump ?? ''));
        await filter(once, { conditions: numbered(numbersIn(cut, wanted)), destination: twice });
        const direct = fresh();
        await filter(path, { conditions: numbered(numbersIn(whole, wanted)), destination: direct });
        expect(contentsOf(twice)).toEqual(contentsOf(direct));
      }),
      { numRuns: 15 },
    );
  });
});

function numbersIn(session: Session, dumps: ReadonlySet<string>): number[] {
  return session.calls.filter(({ dump }) => dumps.has(dump)).map(({ number }) => number);
}

/** Every file with its bytes, but for what tells where the session was cut from. */
function contentsOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && entry.name !== 'extracted.json');
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(directory.length), readFileSync(path, 'latin1')]),
  );
}

describe('a filter', () => {
  const calls: TestCall[] = [
    { name: 'Full.__init__', makes: 1 },
    { name: 'Full.run', self: 1 },
    { name: 'Full.run', self: 1 },
    { name: 'f' },
  ];

  test('that selects nothing writes nothing', async () => {
    const path = makeTempDir();
    const destination = join(makeTempDir(), 'out');
    writeCalls(path, calls);
    const { plan, written } = await filter(path, { conditions: { include: ['nope'] }, destination });
    expect([plan.calls, plan.selected, plan.added, written]).toEqual([4, [], [], undefined]);
    expect(existsSync(destination)).toBe(false);
  });

  test('without closure takes what was asked for and says what that costs', async () => {
    const path = makeTempDir();
    const destination = join(makeTempDir(), 'out');
    writeCalls(path, calls);
    const { plan } = await filter(path, { conditions: numbered([3, 4]), withClosure: false, destination });
    expect(openSession(destination).calls.map(({ functionName }) => functionName)).toEqual(['Full.run', 'f']);
    expect(plan.added).toEqual([]);
    expect(plan.leftOut.map(({ entry }) => entry.number)).toEqual([1, 2]);
    expect(plan.deprived).toEqual([3]);
  });

  test('finds what is needed where the index is lost, too', async () => {
    const path = makeTempDir();
    writeCalls(path, [...calls, { name: 'f', args: ['Full#1'] }]);
    rmSync(join(path, 'session.jsonl'));
    const { plan } = await filter(path, { conditions: { ...numbered([5]) } });
    expect(plan.added.map(({ entry }) => entry.functionName)).toEqual([
      'Full.__init__',
      'Full.run',
      'Full.run',
    ]);
  });

  test('leaves word of what was asked for and what was added, by dumps', async () => {
    const path = makeTempDir();
    const destination = join(makeTempDir(), 'out');
    writeCalls(path, calls);
    await filter(path, {
      conditions: { ...numbered([3]), last: 1 },
      asked: { call: '3', last: 1 },
      destination,
    });
    const word = JSON.parse(readFileSync(join(destination, 'extracted.json'), 'utf8'));
    expect(word).toMatchObject({
      format: 'fir.extracted/1',
      calls: 4,
      asked: { call: '3', last: 1 },
      closure: true,
      selected: 1,
      addedCount: 2,
    });
    const [created] = word.added;
    expect(created.dump).toMatch(/Full\.__init___call0001$/);
    expect(created.neededBy).toMatch(/Full\.run_call0002$/);
    expect(created.reason).toBe('makes Full object 1');
    // Nothing of this machine's paths.
    expect(JSON.stringify(word)).not.toContain(path.slice(0, path.lastIndexOf('/') + 1));
  });

  test('never writes where something is', async () => {
    const path = makeTempDir();
    writeCalls(path, calls);
    const before = contentsOf(path);
    await expect(filter(path, { destination: path })).rejects.toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
    expect(contentsOf(path)).toEqual(before);
  });

  test('that is interrupted leaves nothing', async () => {
    const path = makeTempDir();
    const folder = makeTempDir();
    writeCalls(path, calls);
    const controller = new AbortController();
    const filtering = filterSession(
      {
        path,
        conditions: {},
        asked: {},
        withClosure: true,
        stateful: {},
        destination: join(folder, 'out'),
        signal: controller.signal,
      },
      { onProgress: () => controller.abort() },
    );
    await expect(filtering).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }));
    expect(readdirSync(folder)).toEqual([]);
  });
});
