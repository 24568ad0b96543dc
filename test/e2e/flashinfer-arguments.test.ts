import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runFir } from '../support/fir.js';
import type { ReplayDocument } from '../support/replay-json.js';
import { sharedDirectory } from './captured.js';
import { callsOf, Probe, SETUP_MS, TIMEOUT_MS, told } from './flashinfer-probe.js';

const probe = new Probe(sharedDirectory());
let session = '';
let replayed: ReplayDocument;

beforeAll(async () => {
  await probe.setUp();
  const steps = ['arguments', 'results', 'little', 'deep', 'clock', 'nesting', 'step', 'again', 'layouts'];
  session = await probe.record('session', steps);
  replayed = await probe.replay(session);
}, SETUP_MS);

describe('arguments', () => {
  test('come back as what they were, whatever they are: a function that tells them tells the recorded text', () => {
    const [deepest, ...others] = callsOf(replayed, 'tell').toReversed();
    expect(others.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 10 }, () => 'pass'));
    expect(others.every(({ outputs }) => outputs.length === 1)).toBe(true);
    // What stands nine containers deep was left out by the recorder.
    expect(deepest).toMatchObject({
      verdict: 'skipped',
      reason: expect.stringContaining('arg_1 holds a list that was cut short'),
    });
  });

  test('of an enum that is a text too are its members, not the text', () => {
    expect(told(replayed, 'activate')).toEqual(['activate pass', 'activate pass']);
  });

  test('go by the names that they have, with two underscores or kwarg_ in them, or named result', () => {
    expect(told(replayed, 'named_keys')).toEqual(['named_keys pass']);
  });

  test('of a transposed tensor have its strides', () => {
    expect(told(replayed, 'transposed')).toEqual(['transposed pass']);
  });

  test('that JSON has no numbers for are shown as numbers, and texts as texts', async () => {
    const { stdout } = await runFir(['inspect', session, '--call', '2']);
    for (const line of [
      'kwarg_cap = Infinity',
      'kwarg_bias = -Infinity',
      'kwarg_scale = NaN',
      'kwarg_note = "NaN, Infinity"',
    ]) {
      expect(stdout.split('\n').map((text) => text.trim())).toContain(line);
    }
    const strict = await runFir(['inspect', session, '--json']);
    expect(JSON.parse(strict.stdout).calls.length).toBe(replayed.calls.length);
  });
});

describe('results', () => {
  test('of every shape are compared, and one that is nothing is not taken for a pass', () => {
    const verdicts = callsOf(replayed, 'pick').map(({ verdict, outputs }) => `${verdict} ${outputs.length}`);
    expect(verdicts).toEqual([
      ...['pass 2', 'pass 5', 'pass 2', 'pass 1', 'pass 1', 'pass 1', 'unchecked 0', 'pass 1', 'pass 2'],
      ...Array.from({ length: 12 }, () => 'pass 1'),
      ...['pass 4', 'pass 2', 'pass 2', 'pass 1', 'pass 1'],
    ]);
  });

  test('that are in an argument alone, or nowhere, were not compared', () => {
    const reason = expect.stringContaining('nobody looked for changes to its arguments');
    expect(callsOf(replayed, 'fill')).toEqual([expect.objectContaining({ verdict: 'unchecked', reason })]);
    expect(callsOf(replayed, 'quiet')).toEqual([expect.objectContaining({ verdict: 'unchecked', reason })]);
  });
});

describe('objects', () => {
  test('are made before they are used, though the clock was an hour behind by then', () => {
    const [, planned, run] = replayed.calls.filter((call) => call.function.startsWith('PlanWrapper.'));
    expect((run?.dump ?? '') < (planned?.dump ?? '')).toBe(true);
    expect(told(replayed, 'PlanWrapper.__init__', 'PlanWrapper.plan', 'PlanWrapper.run').slice(0, 3)).toEqual(
      ['PlanWrapper.__init__ ran', 'PlanWrapper.plan ran', 'PlanWrapper.run pass'],
    );
  });

  test('of a constructor without tensors, or of a class that FlashInfer does not know, come back', () => {
    expect(told(replayed, 'StepWrapper.__init__', 'StepWrapper.run', 'StepWrapper.peek')).toEqual([
      'StepWrapper.__init__ ran',
      'StepWrapper.run pass',
      // A plain function, recorded under its argument's class.
      'StepWrapper.peek pass',
    ]);
  });

  test('that came one after the other to one place in memory are three', () => {
    expect(told(replayed, '__init__', 'add')).toEqual(
      [1, 2, 3].flatMap(() => ['__init__ ran', 'add pass', 'add pass']),
    );
  });

  test('have calls inside of calls once: those of an object run inside the outer one', () => {
    const covered = replayed.calls.filter(({ reason }) => reason?.startsWith('inside call'));
    expect(covered.map((call) => call.function)).toEqual(['PlanWrapper.plan', 'ScaledPlanWrapper.__init__']);
    expect(told(replayed, 'outer', 'inner', 'ScaledPlanWrapper.run')).toEqual([
      'outer pass',
      'inner pass',
      'ScaledPlanWrapper.run pass',
    ]);
    const verdicts = new Set(callsOf(replayed, 'PlanWrapper.run').map(({ verdict }) => verdict));
    expect([...verdicts]).toEqual(['pass']);
  });

  test(
    'of one call alone are not there, and the reason names the pattern that would have kept them',
    async () => {
      const run = replayed.calls.find((call) => call.function === 'StepWrapper.run');
      const { calls, code } = await probe.replay(join(session, run?.dump ?? ''));
      expect(calls).toEqual([expect.objectContaining({ verdict: 'skipped' })]);
      expect(calls[0]?.reason).toContain("FLASHINFER_DUMP_INCLUDE='StepWrapper.*'");
      expect(code).toBe(3);
    },
    TIMEOUT_MS,
  );

  test(
    'that were made before a fork are those of the process that made them alone',
    async () => {
      const { calls, code } = await probe.replay(await probe.record('forked', ['fork']));
      const [made, ran, inChild] = calls;
      expect(calls.map(({ verdict }) => verdict).sort()).toEqual(['pass', 'ran', 'skipped']);
      expect([made?.verdict, code]).toEqual(['ran', 3]);
      const skipped = [ran, inChild].find((call) => call?.verdict === 'skipped');
      expect(skipped?.pid).not.toBe(made?.pid);
      expect(skipped?.reason).toContain('its constructor was not recorded');
    },
    TIMEOUT_MS,
  );
});

test(
  'a session without its index says that its order is not certain, one with it does not',
  async () => {
    const path = await probe.record('unindexed', ['step']);
    const note = 'note: 3 calls stand in no session.jsonl: those of one millisecond';
    expect(await probe.replayText(path)).not.toContain('note:');
    rmSync(join(path, 'session.jsonl'));
    expect(await probe.replayText(path)).toContain(note);
  },
  TIMEOUT_MS,
);

test(
  'a session of safetensors files replays alike: strides come back, what the recorder could not write is not a pass',
  async () => {
    const steps = ['layouts', 'arguments', 'results'];
    const path = await probe.record('safetensors', steps, ['--format', 'safetensors']);
    const document = await probe.replay(path);
    expect(told(document, 'transposed', 'activate')).toEqual([
      'transposed pass',
      'activate pass',
      'activate pass',
    ]);
    const unequal = document.calls.filter(({ verdict }) => verdict !== 'pass');
    expect(unequal.map((call) => `${call.function} ${call.verdict}`)).toEqual([
      // It returned nothing; results that share memory can't be written in that format.
      'pick unchecked',
      'pick unchecked',
      'pick unchecked',
      // Nor can arguments: of that call there is an empty directory.
      'named_keys skipped',
    ]);
    expect(document.code).toBe(3);
  },
  TIMEOUT_MS,
);
