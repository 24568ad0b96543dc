import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { repository, runFir, temporaryDirectory } from '../support/fir.js';
import { replayJson } from '../support/replay-json.js';
import { valuesOf } from '../support/session-content.js';
import { captureProgram, readCaptured } from './captured.js';

const MIB = 1024 * 1024;
/** 10 MiB, as --max-size takes it. */
const LIMIT = ['--max-size', String(10 / 1024)];
const APP = ['--app', repository];

/** Bytes of the files whose name matches, each file once however many names it has. */
function bytesOf(directory: string, names = /./): number {
  const sizes = new Map<number, number>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const { ino, size } = statSync(join(entry.parentPath, entry.name));
    if (entry.isFile() && names.test(entry.name)) sizes.set(ino, size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function passed(session: string): Promise<number> {
  return (await replayJson(session, APP)).summary.pass;
}

describe.each(['safetensors', 'torch'])('fifty calls with the same weight of 4 MiB, in %s', (format) => {
  it('are all recorded within 10 MiB, replay, and are filtered to sessions that stand alone', async () => {
    const session = join(temporaryDirectory(), 'session');
    const flags = ['--dedupe', '--format', format, ...LIMIT];
    expect(await captureProgram(session, ['weight-calls.mjs'], { flags })).toMatchObject({ code: 0 });
    const { calls, processes } = readCaptured(session);
    expect(calls).toHaveLength(50);
    expect(processes[0]).toMatchObject({ dropped: { limit: 0, error: 0 }, errors: [] });
    expect(bytesOf(join(session, 'blobs'))).toBe(4 * MIB);
    // Activations and results of 1 KiB each, with what a tensor file says of them.
    expect(bytesOf(session, /^(?:inputs|outputs)\./)).toBeLessThan(50 * (2 * 1024 + 2048));
    expect(bytesOf(session)).toBeLessThan(4 * MIB + 700 * 1024);
    expect(await passed(session)).toBe(50);

    const one = join(temporaryDirectory(), 'one');
    expect(await runFir(['filter', session, '-o', one, '--call', '25'])).toMatchObject({ code: 0 });
    expect(bytesOf(one)).toBeLessThan(4 * MIB + 64 * 1024);
    const plain = join(temporaryDirectory(), 'plain');
    expect(await runFir(['filter', session, '-o', plain, '--call', '25', '--plain'])).toMatchObject({
      code: 0,
    });
    expect(readdirSync(plain)).not.toContain('blobs');
    const wanted = valuesOf(openSession(session))[24]?.tensors;
    for (const path of [one, plain]) {
      expect(valuesOf(openSession(path))[0]?.tensors).toEqual(wanted);
      expect(await passed(path)).toBe(1);
    }
  }, 120_000);
});

it('without --dedupe two calls fit, and the summary counts the others', async () => {
  const session = join(temporaryDirectory(), 'session');
  const { stderr } = await captureProgram(session, ['weight-calls.mjs'], { flags: LIMIT });
  expect(readCaptured(session).calls).toHaveLength(2);
  expect(stderr).toContain('calls skipped: 48 over --max-count or --max-size');
});

it('a limit that drops the oldest calls keeps the weight as long as a call has it', async () => {
  const session = join(temporaryDirectory(), 'session');
  const flags = ['--dedupe', '--on-limit', 'rotate', '--max-count', '5'];
  await captureProgram(session, ['weight-calls.mjs'], { flags });
  const { calls } = readCaptured(session);
  expect(calls.map(({ inputs }) => inputs['arg_0']?.[0])).toEqual([46, 47, 48, 49, 50]);
  expect(bytesOf(join(session, 'blobs'))).toBe(4 * MIB);
  expect(await passed(session)).toBe(5);
}, 60_000);
