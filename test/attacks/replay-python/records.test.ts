// Records that ask for something to be run, replayed by the real command line: without consent, with consent to a harmless
// module, and with consent to everything.
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallResult } from '../../../src/core/model/verdict.js';
import { sharedDirectory } from '../../e2e/captured.js';
import { type ProcessResult, runFir, runProcess, temporaryDirectory } from '../../support/fir.js';
import { pythonWithTorch } from '../../support/python.js';
import { type ReplayDocument, replayJson } from '../../support/replay-json.js';
import {
  type Bait,
  DANGEROUS,
  FROM_THE_ALLOWED,
  type HostileRecord,
  NEVER_ALLOWED,
  PASSED_ON,
} from './hostile-records.js';
import { DEMO, expectPlain, pythonFlags, writeHostileSession } from './hostile-session.js';

const SETUP_MS = 900_000;
const RECORDS: readonly HostileRecord[] = [PASSED_ON, ...DANGEROUS, ...FROM_THE_ALLOWED, ...NEVER_ALLOWED];

const root = sharedDirectory();
const session = join(root, 'session');
const baits = RECORDS.map((_, index) => baitIn(root, String(index)));

let python = '';
let listed: ProcessResult[];
let refused: ReplayDocument;
let allowed: ReplayDocument;
let told: ProcessResult;

beforeAll(async () => {
  python = await pythonWithTorch();
  for (const bait of baits) writeBait(bait);
  writeHostileSession(
    session,
    RECORDS.map(({ call }, index) => call(baits[index] ?? { marker: '', script: '' })),
  );
  listed = [
    await runFir(['inspect', session]),
    await runFir(['inspect', session, '--call', `1-${RECORDS.length}`]),
  ];
  refused = await replayJson(session, pythonFlags(python));
  allowed = await replayJson(session, [...pythonFlags(python), '--allow', DEMO]);
  told = await runFir(['replay', session, ...pythonFlags(python), '--allow', DEMO]);
}, SETUP_MS);

function baitIn(folder: string, name: string): Bait {
  return { marker: join(folder, `marker-${name}`), script: join(folder, `script-${name}.py`) };
}

function writeBait({ marker, script }: Bait): void {
  writeFileSync(script, `open(${JSON.stringify(marker)}, 'w').close()\n`);
}

function resultOf({ calls }: ReplayDocument, index: number): CallResult {
  const found = calls.find(({ call }) => call === index + 1);
  if (found === undefined) throw new Error(`call ${index + 1} was not told`);
  return found;
}

describe.each(RECORDS.map((record, index) => [record.what, index, record] as const))(
  '%s',
  (...[, index, { verdict, reason }]) => {
    it('runs neither with consent to a harmless module nor without', () => {
      expect(existsSync(baits[index]?.marker ?? '')).toBe(false);
    });

    it('is refused with a reason, and without consent not even looked for', () => {
      const result = resultOf(allowed, index);
      expect(result).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
      expect(result.error).toBeUndefined();
      expect(resultOf(refused, index)).toMatchObject({
        verdict: 'skipped',
        reason: expect.stringMatching(/^(not allowed|state incomplete|its constructor was not recorded)/),
      });
    });
  },
);

describe('a session full of them', () => {
  it('is told plainly, and what was asked for is shown', () => {
    for (const one of [...listed, told]) expectPlain(one);
    expect(listed.map(({ code }) => code)).toEqual([0, 0]);
    expect(listed[1]?.stdout).toMatch(/call 1 system\n.*\n *module +os\n/);
    expect(listed[1]?.stdout).toContain("touch '");
  });

  it('is a failure where something could not be found, and without consent one that was not compared', () => {
    expect([refused.code, allowed.code, told.code]).toEqual([3, 1, 1]);
  });
});

/** A session of one call, with its bait laid out. */
function sessionOf(record: HostileRecord): { dir: string; bait: Bait } {
  const folder = temporaryDirectory();
  const bait = baitIn(folder, 'one');
  writeBait(bait);
  const dir = join(folder, 'session');
  writeHostileSession(dir, [record.call(bait)]);
  return { dir, bait };
}

describe('consent', () => {
  it.each(DANGEROUS.map((record) => [record.what, record] as const))(
    'to the very module of %s is what it takes to run it',
    async (_, record) => {
      const { dir, bait } = sessionOf(record);
      const { module } = record.call(bait);
      const document = await replayJson(dir, [...pythonFlags(python), '--allow', module]);
      expect(document.calls[0]?.verdict).not.toBe('skipped');
      expect(existsSync(bait.marker)).toBe(true);
    },
  );

  it('to everything is none to what a module only imported, to programs, or to what is no module', async () => {
    const dir = join(temporaryDirectory(), 'session');
    const records = [
      PASSED_ON,
      ...FROM_THE_ALLOWED.filter(({ verdict }) => verdict === 'error'),
      ...NEVER_ALLOWED,
    ];
    const bait = baitIn(dir, 'all');
    writeHostileSession(
      dir,
      records.map(({ call }) => call(bait)),
    );
    writeBait(bait);
    const document = await replayJson(dir, [...pythonFlags(python), '--allow', '*']);
    expect(existsSync(bait.marker)).toBe(false);
    expect(resultOf(document, 0)).toMatchObject({
      verdict: 'skipped',
      reason: "not allowed: 'system' of module 'os' belongs to module 'posix'",
    });
    for (const [index, { verdict, reason }] of records.entries()) {
      if (index > 0)
        expect(resultOf(document, index)).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
    }
  });

  it.each(['session.jsonl', 'metadata.jsonl'])(
    'to a harmless function is none to another one that only %s names',
    async (hostile) => {
      const { dir, bait } = sessionOf(PASSED_ON);
      const [dump] = readdirSync(dir).filter((name) => name.includes('_call'));
      const harmless =
        hostile === 'session.jsonl' ? join(dir, dump ?? '', 'metadata.jsonl') : join(dir, 'session.jsonl');
      const text = readFileSync(harmless, 'utf8')
        .replaceAll('"module":"os"', `"module":"${DEMO}"`)
        .replaceAll('"function_name":"system"', '"function_name":"row_scale"');
      expect(text).toContain(`"module":"${DEMO}"`);
      writeFileSync(harmless, text);
      const { calls } = await replayJson(dir, [...pythonFlags(python), '--allow', DEMO]);
      expect(calls.map((call) => call.function)).toEqual([
        hostile === 'session.jsonl' ? 'system' : 'row_scale',
      ]);
      expect(calls[0]?.verdict).toBe(hostile === 'session.jsonl' ? 'skipped' : 'error');
      expect(existsSync(bait.marker)).toBe(false);
    },
  );
});

describe('what a record names', () => {
  const COMMAND = "x'; touch marker; '";
  const LINES = 'x\n::error::all is well\n\u001b[2J\u009b2J<failure>\u202e';
  let folder = '';

  beforeEach(() => {
    folder = temporaryDirectory();
    const wrapper = { type: `${COMMAND}Wrapper`, repr: 'of its own' };
    writeHostileSession(join(folder, 'session'), [
      { module: '__main__', functionName: COMMAND },
      { module: DEMO, functionName: `${COMMAND}Wrapper.run`, selfId: 7, inputs: { arg_0: wrapper } },
      { module: DEMO, functionName: LINES, inputs: { arg_0: LINES } },
      { module: LINES, functionName: 'system', inputs: { arg_0: { type: LINES, repr: LINES } } },
    ]);
  });

  it('is one word in the command that a reason proposes, whatever is in it', async () => {
    const document = await replayJson(join(folder, 'session'), [...pythonFlags(python), '--allow', DEMO]);
    const { calls } = JSON.parse((await runFir(['inspect', join(folder, 'session'), '--json'])).stdout);
    const reasons = [resultOf(document, 0).reason, resultOf(document, 1).reason, calls[1].reasons[0]];
    const proposed = reasons.map((reason) => /(?:--target |DUMP_INCLUDE=)(.*)$/.exec(reason)?.[1] ?? '');
    for (const words of proposed) {
      const script = join(folder, 'said.sh');
      appendFileSync(script, `printf '%s\\n' ${words}\n`);
    }
    const said = await runProcess('sh', [join(folder, 'said.sh')], { cwd: folder });
    expect(said.stdout.trimEnd().split('\n')).toEqual([
      `${COMMAND}=./file.py#${COMMAND}`,
      `${COMMAND}Wrapper.*`,
      `${COMMAND}Wrapper.*`,
    ]);
    expect(existsSync(join(folder, 'marker'))).toBe(false);
  });

  it.each(['pretty', 'github', 'junit'])(
    'never makes a line of its own in the report %s',
    async (reporter) => {
      const flags = [...pythonFlags(python), '--allow', DEMO, '--reporter', reporter];
      const result = await runFir(['replay', join(folder, 'session'), ...flags]);
      expectPlain(result);
      expect(result.code).toBe(1);
      expect(result.stdout).not.toMatch(/^::error::|<failure>$/m);
      expect(result.stdout).toContain('all is well');
    },
  );
});
