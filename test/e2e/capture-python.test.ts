import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeToFloat64 } from '../../src/core/dtype/index.js';
import type { Session } from '../../src/core/session/index.js';
import { type ProcessResult, runFir, temporaryDirectory } from '../support/fir.js';
import { sharedDirectory } from './captured.js';
import {
  captureIn,
  firLines,
  namesIn,
  PLAIN,
  type PythonTools,
  programOutput,
  pythonTools,
  sessionIn,
  WRAPPER,
} from './captured-python.js';

let tools: PythonTools;
beforeAll(async () => {
  tools = await pythonTools();
}, 900_000);

/** Captures steps of the fixture program. */
async function capture(steps: readonly string[], flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const directory = temporaryDirectory();
  const result = await captureIn(directory, tools.command(...steps), {
    flags,
    env: { ...tools.env, ...env },
  });
  return { directory, result, session: () => sessionIn(directory) };
}

describe('a Python program that uses FlashInfer', () => {
  const directory = sharedDirectory();
  let result: ProcessResult;
  let session: Session;

  beforeAll(async () => {
    result = await captureIn(directory, tools.command('plain', 'wrapper', 'fail'), { env: tools.env });
    session = sessionIn(directory);
  }, 900_000);

  it('is recorded by FlashInfer into the session directory', () => {
    expect(session.producer).toBe('flashinfer');
    expect(namesIn(session)).toEqual([...PLAIN, ...WRAPPER, 'fail']);
    expect(session.calls.map((call) => call.status)).toEqual([...Array(6).fill('completed'), 'inputs_saved']);
    expect(new Set(session.calls.map((call) => call.processUid)).size).toBe(1);
    expect(session.unreadableCount).toBe(0);
    const [call] = session.calls;
    const record = call && session.readRecord(call);
    expect(record).toMatchObject({
      tensor_format: 'torch',
      module: 'fir_demo_kernels',
      dump_dir: expect.any(String),
    });
    expect(record?.dump_dir).toBe(join(directory, 'session', call?.dump ?? ''));
  });

  it('keeps its output and exit code, and FlashInfer’s log of every tensor out of both', () => {
    expect(result.code).toBe(0);
    expect(programOutput(result)).toBe('demo failure: (2,)\ndone\n');
    expect(result.stderr).not.toContain('Tensor(');
  });

  it('is summed up in full: who recorded, what never finished, what to do next', () => {
    const [notice, calls, languages, unfinished, next, ...more] = firLines(result);
    const pid = session.calls[0]?.pid;
    expect(notice).toContain('written to session, readable by you alone');
    expect(calls).toMatch(
      /^fir: 7 calls recorded \(6 completed, 0 failed, 1 unfinished\), [\d.]+ KiB in session$/,
    );
    expect(languages).toBe(`fir: 7 calls in Python by FlashInfer (pid ${pid}: 7)`);
    expect(unfinished).toMatch(/^fir: never finished in Python \(raised, or .*\): fail$/);
    expect([next, more]).toEqual(['fir: next: fir inspect session', []]);
  });

  it('leaves a session that nobody else may read', () => {
    expect(statSync(join(directory, 'session')).mode & 0o777).toBe(0o700);
  });

  it('can be inspected', async () => {
    const { code, stdout } = await runFir(['inspect', join(directory, 'session'), '--json']);
    const document = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(document.session).toMatchObject({ producer: 'flashinfer', records: 13, unreadable: [] });
    expect(document.summary).toMatchObject({ calls: 7 });
    expect(document.calls.map((call: { function: string }) => call.function)).toEqual(namesIn(session));
  });
});

describe('--format', () => {
  it('safetensors is FlashInfer’s too where it was said', async () => {
    const { session } = await capture(['plain', 'wrapper'], ['--format', 'safetensors']);
    const { calls } = session();
    expect(calls).toHaveLength(6);
    const [product] = calls;
    const dump = product && session().openDump(product);
    expect(dump?.record.tensor_format).toBe('safetensors');
    const tensor = dump?.tensor('outputs', 'result');
    expect(tensor).toMatchObject({ dtype: 'float32', shape: [2, 2] });
    expect([...decodeToFloat64('float32', tensor?.logicalBytes() ?? new Uint8Array())]).toEqual([
      1.5, 1.5, 6, 6,
    ]);
    dump?.close();
  });
});

describe('limits', () => {
  it('of a number of calls are FlashInfer’s too, and said to be reached', async () => {
    const { result, session } = await capture(['plain', 'plain'], ['--max-count', '4']);
    expect(namesIn(session())).toEqual([...PLAIN, 'scaled_mm']);
    expect(result.stderr).toMatch(
      /Python process \d+ reached its limit of 4 calls \(--max-count\): later ones left no mark\n/,
    );
  });

  it('of a size too; gaps in the numbers of calls tell how many at least are missing', async () => {
    const { result, session } = await capture(['sizes'], ['--max-size', String(20_000 / 2 ** 30)]);
    expect(session().calls.map((call) => session().readRecord(call).call_sequence)).toEqual([1, 2, 4]);
    expect(result.stderr).toMatch(
      /Python process \d+ recorded 16\.0 KiB of 19\.5 KiB \(--max-size\): at least 1 call did not fit, and left no mark\n/,
    );
  });

  it('that were not reached are not mentioned', async () => {
    const { result } = await capture(['plain'], ['--max-count', '4', '--max-size', '1']);
    expect(result.stderr).not.toContain('no mark');
  });
});

describe('filters', () => {
  it('take what is included and leave out what is excluded', async () => {
    const flags = ['--include', 'BatchDemoWrapper.*,topk', '--exclude', '*.plan'];
    const { session } = await capture(['plain', 'wrapper'], flags);
    expect(namesIn(session())).toEqual(['topk', 'BatchDemoWrapper.__init__', 'BatchDemoWrapper.run']);
  });
});

describe('FLASHINFER_* variables of the user', () => {
  const OWN = {
    FLASHINFER_DUMP_INCLUDE: 'topk',
    FLASHINFER_DUMP_MAX_COUNT: '1',
    FLASHINFER_LOGDEST: 'stdout',
  };

  it('stay where nothing was said to fir', async () => {
    const { result, session } = await capture(['plain', 'plain'], [], OWN);
    expect(namesIn(session())).toEqual(['topk']);
    expect(result.stdout).toContain('FlashInfer API Call: topk');
  });

  it('give way to flags, and to variables of fir', async () => {
    const flags = ['--include', 'scaled_mm', '--log-dest', 'flashinfer.log'];
    const { directory, session, result } = await capture(['plain', 'plain'], flags, {
      ...OWN,
      FIR_DUMP_MAX_COUNT: '9',
    });
    expect(namesIn(session())).toEqual(['scaled_mm', 'scaled_mm']);
    expect(result.stdout).not.toContain('API Call');
    expect(readFileSync(join(directory, 'flashinfer.log'), 'utf8')).toContain(
      'FlashInfer API Call: scaled_mm',
    );
  });

  it('name the session directory where fir was told none', async () => {
    const cwd = temporaryDirectory();
    const env = { ...tools.env, FLASHINFER_DUMP_DIR: 'theirs/dumps' };
    const result = await runFir(['capture', '--', ...tools.command('plain')], { cwd, env });
    expect(result.stderr).toContain('3 calls recorded');
    expect(result.stderr).toContain('fir: next: fir inspect theirs/dumps\n');
    expect(readdirSync(cwd)).toEqual(['theirs']);
  });

  it('that only log are pointed out before the program starts, and --level goes before them', async () => {
    const quiet = await capture(['plain'], [], { FLASHINFER_LOGLEVEL: '1', FLASHINFER_LOGDEST: '/dev/null' });
    expect(quiet.result.stderr).toContain(
      'fir: FLASHINFER_LOGLEVEL=1 of the environment only logs calls in Python; --level 10 records them\n',
    );
    expect(quiet.session).toThrow();
    const loud = await capture(['plain'], ['--level', '10'], { FLASHINFER_LOGLEVEL: '1' });
    expect(namesIn(loud.session())).toEqual(PLAIN);
  });
});

describe('levels below 10', () => {
  it('log into a file for each process, whose directory is made', async () => {
    const { directory, result } = await capture(
      ['plain'],
      ['--level', '3', '--log-dest', 'logs/calls-%i.log'],
    );
    const [name = ''] = readdirSync(join(directory, 'logs'));
    expect(name).toMatch(/^calls-\d+\.log$/);
    expect(readFileSync(join(directory, 'logs', name), 'utf8')).toContain('FlashInfer API Call: topk');
    expect(programOutput(result)).toBe('done\n');
    expect(readdirSync(directory)).toEqual(['logs']);
  });

  it('log to stderr, also where the log can not be written', async () => {
    const { result } = await capture(['plain'], ['--level', '1', '--log-dest', '/dev/null/calls.log']);
    expect(programOutput(result)).toBe('done\n');
    expect(result.stderr).toContain('FlashInfer API Call: topk');
  });
});

describe('where nothing was recorded, the likely reason is said', () => {
  it('FlashInfer was not called', async () => {
    const cwd = temporaryDirectory();
    const result = await captureIn(cwd, [tools.python, '-c', 'print(6 * 7)']);
    expect(result).toMatchObject({ code: 0, stdout: '42\n' });
    expect(result.stderr).toContain(
      'nothing was recorded: no Python process of the program called a function of FlashInfer.',
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('filters left everything out', async () => {
    const { result } = await capture(['plain'], ['--include', 'nothing']);
    expect(result.stderr).toContain('. Or --include and --exclude left every call out\n');
  });

  it('FlashInfer could not write it', async () => {
    const { result } = await capture(['unrecorded']);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toContain(
      'nothing was recorded: FlashInfer’s recorder made dump directories and wrote no record into them; ',
    );
  });
});

describe('a session directory that is there already', () => {
  it('is added to, sums up only what is new, and says that others may read it', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'session'));
    chmodSync(join(directory, 'session'), 0o755);
    await captureIn(directory, tools.command('plain'), { env: tools.env });
    const result = await captureIn(directory, tools.command('wrapper', 'unrecorded'), { env: tools.env });
    expect(result.stderr).toContain('fir: 3 calls recorded (3 completed, 0 failed, 0 unfinished)');
    expect(result.stderr).toContain('fir: FlashInfer’s recorder left 1 call without a record');
    expect(result.stderr).toContain('others may read what FlashInfer wrote there');
    const session = sessionIn(directory);
    expect(session.calls.filter((call) => call.status !== 'no_record')).toHaveLength(6);
    expect(new Set(session.calls.map((call) => call.pid)).size).toBe(2);
  });
});
