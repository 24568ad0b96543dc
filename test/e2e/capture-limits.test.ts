import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeUnderTest, type ProcessResult, runFir, runProcess, temporaryDirectory } from '../support/fir.js';
import { captureProgram, makeProject, program, readCaptured, sharedDirectory } from './captured.js';

const ALL = [...Array<string>(5).fill('gemm'), 'softmax', 'softmax'];
const CACHE = ['Cache.__init__', 'Cache.append', 'Cache.appendAll'];

/** Captures the ten calls with flags; tells what was recorded, and what the summary and the header say. */
async function captureTen(flags: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const session = join(temporaryDirectory(), 'session');
  const result = await captureProgram(session, ['mixed-calls.mjs'], { flags, env });
  expect(result).toMatchObject({ code: 0, stdout: 'done\n' });
  const { calls, processes } = readCaptured(session);
  const dropped = processes[0]?.dropped;
  return { names: calls.map((call) => call.name), dropped, summary: result.stderr, calls };
}

describe('limits', () => {
  it('stop at a number of calls, and count what came after', async () => {
    const { names, dropped, summary } = await captureTen(['--max-count', '3']);
    expect(names).toEqual(['gemm', 'gemm', 'gemm']);
    const functions = { gemm: 2, softmax: 2, 'Cache.__init__': 1, 'Cache.append': 1, 'Cache.appendAll': 1 };
    expect(dropped).toEqual({ limit: 7, filter: 0, error: 0, functions });
    expect(summary).toContain('3 calls recorded (3 completed, 0 failed, 0 unfinished)');
    expect(summary).toContain('calls skipped: 7 over --max-count or --max-size\n');
  });

  it('stop at a size, and take smaller calls that still fit', async () => {
    const { names, dropped } = await captureTen(['--max-size', '0.0005']);
    expect(names).toEqual([...ALL.slice(0, -1), ...CACHE]);
    expect(dropped).toEqual({ limit: 1, filter: 0, error: 0, functions: { softmax: 1 } });
  });

  it('of nothing record nothing, and say why', async () => {
    const session = join(temporaryDirectory(), 'session');
    const result = await captureProgram(session, ['mixed-calls.mjs'], { flags: ['--max-count', '0'] });
    expect(result).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(result.stderr).toContain('nothing was recorded: every call was over --max-count or --max-size\n');
  });
});

describe('filters', () => {
  it('take what is included and leave out what is excluded, in this order', async () => {
    const flags = ['--include', 'gemm,Cache.*', '--exclude', '*.append*'];
    const { names, dropped, summary } = await captureTen(flags);
    expect(names).toEqual([...ALL.slice(0, 5), 'Cache.__init__']);
    expect(dropped).toEqual({ limit: 0, filter: 4, error: 0 });
    expect(summary).toContain('calls skipped: 4 by --include or --exclude\n');
  });

  it('are case-sensitive, and know ? and sets', async () => {
    const { names } = await captureTen([
      '--include',
      'GEMM',
      '--include',
      'softma?',
      '--include',
      '[!a-z]ache._*',
    ]);
    expect(names).toEqual(['softmax', 'softmax', 'Cache.__init__']);
  });

  it('can come from the environment', async () => {
    const env = { FIR_DUMP_INCLUDE: 'gemm', FIR_DUMP_MAX_COUNT: '2' };
    const { names, dropped } = await captureTen([], env);
    expect(names).toEqual(['gemm', 'gemm']);
    expect(dropped).toEqual({ limit: 3, filter: 5, error: 0, functions: { gemm: 3 } });
  });
});

describe('where nothing was recorded, the likely reason is said', () => {
  async function stderrOf(name: string, flags: readonly string[] = []): Promise<string> {
    const session = join(temporaryDirectory(), 'session');
    return (await captureProgram(session, [name], { flags })).stderr;
  }

  it('nothing was hooked', async () => {
    expect(await stderrOf('event-order.cjs')).toContain(
      'nothing was recorded: no Node process of the program loaded a library that fir knows',
    );
  });

  it('what was hooked was not called', async () => {
    expect(await stderrOf('hooked-but-idle.mjs')).toContain(
      'nothing was recorded: gemm, softmax, Cache was hooked, but nothing of it was called\n',
    );
  });

  it('everything was filtered', async () => {
    expect(await stderrOf('mixed-calls.mjs', ['--include', 'nothing'])).toContain(
      'nothing was recorded: every call was left out by --include or --exclude\n',
    );
  });
});

describe('levels below 10', () => {
  interface Line {
    call: string;
    pid: number;
    arguments?: unknown[];
    result?: unknown;
    threw?: string;
    durationUs?: number;
  }

  /** The log of the ten calls at a level, from stderr, stdout or a file. */
  async function logAt(
    level: number,
    destination?: string,
  ): Promise<{ lines: Line[]; result: ProcessResult; cwd: string }> {
    const cwd = temporaryDirectory();
    const flags = [
      '--level',
      String(level),
      ...(destination === undefined ? [] : ['--log-dest', destination]),
    ];
    const command = ['capture', '-o', 'session', ...flags, '--', nodeUnderTest, program('mixed-calls.mjs')];
    const result = await runFir(command, { cwd });
    expect(result.code).toBe(0);
    expect(existsSync(join(cwd, 'session'))).toBe(false);
    const text = destination === 'stdout' ? result.stdout : result.stderr;
    const lines = text.split('\n').filter((line) => line.startsWith('{'));
    return { lines: lines.map((line) => JSON.parse(line)), result, cwd };
  }

  it('1 logs names, on stderr', async () => {
    const { lines, result } = await logAt(1);
    expect(lines.map((line) => line.call)).toEqual([...ALL, ...CACHE]);
    expect(lines[0]).not.toHaveProperty('arguments');
    expect(result.stdout).toBe('done\n');
    expect(result.stderr).toContain('level 1 records no calls, it only logs them; --level 10 records\n');
  });

  it('3 logs arguments and results, on stdout where asked', async () => {
    const { lines, result } = await logAt(3, 'stdout');
    const [called, returned] = lines;
    expect(called).toMatchObject({ call: 'gemm', arguments: ['float32[3]', 0] });
    expect(returned).toMatchObject({ call: 'gemm', result: 'float32[3]' });
    expect(returned?.durationUs).toBeGreaterThanOrEqual(0);
    expect(lines.at(-1)).toMatchObject({ call: 'Cache.appendAll', threw: 'RangeError: not today' });
    expect(result.stdout.endsWith('done\n')).toBe(true);
  });

  it('5 logs statistics too, into a file for each process', async () => {
    const { cwd, result } = await logAt(5, 'logs/calls-%i.log');
    const [name = ''] = readdirSync(join(cwd, 'logs'));
    const path = join(cwd, 'logs', name);
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(name).toBe(`calls-${lines[0]?.pid}.log`);
    expect(lines[1]?.result).toBe('float32[3] min=0 max=0 mean=0 nan=1 inf=0');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(result.stderr).not.toContain('{');
  });

  it('leave a program alone whose log can not be written', async () => {
    const { result } = await logAt(3, '/dev/null/calls.log');
    expect(result.stdout).toBe('done\n');
  });
});

describe('what a session keeps to itself', () => {
  const SECRET = 'sk-TEST-123';
  const directory = sharedDirectory();
  const session = join(directory, 'session');

  beforeAll(async () => {
    const command = [firWords(session), nodeUnderTest, program('mixed-calls.mjs')].flat();
    const quoted = command.map((word) => `'${word}'`).join(' ');
    const env = { API_KEY: SECRET, HF_TOKEN: SECRET, TZ: 'UTC', OMP_NUM_THREADS: '3' };
    await runProcess('bash', ['-c', `umask 000; ${quoted}`], { env });
  });

  function* entries(path: string): Generator<string> {
    yield path;
    if (!statSync(path).isDirectory()) return;
    for (const name of readdirSync(path)) yield* entries(join(path, name));
  }

  it('is readable by its owner alone, whatever the umask permits', () => {
    const modes = [...entries(session)].map((path) => {
      const stat = statSync(path);
      return [stat.isDirectory(), stat.mode & 0o777];
    });
    expect(modes.length).toBeGreaterThan(30);
    expect(modes.every(([isDirectory, mode]) => mode === (isDirectory ? 0o700 : 0o600))).toBe(true);
  });

  it('holds no variable of the environment that is not on the list', () => {
    for (const path of entries(session)) {
      if (statSync(path).isDirectory()) continue;
      expect(readFileSync(path).includes(SECRET)).toBe(false);
    }
    const [header] = readCaptured(session).processes;
    expect(header?.env).toMatchObject({ TZ: 'UTC', OMP_NUM_THREADS: '3' });
    expect(header?.env).not.toHaveProperty('PATH');
  });

  it('leaves nothing half written behind', () => {
    expect([...entries(session)].filter((path) => path.includes('tmp', directory.length))).toEqual([]);
  });
});

function firWords(session: string): string[] {
  return [
    nodeUnderTest,
    join(import.meta.dirname, '..', '..', 'bin', 'run.js'),
    'capture',
    '-o',
    session,
    '--',
  ];
}

describe('a session directory that lies elsewhere', () => {
  it('is made with all that is above it, and may be relative', async () => {
    const cwd = makeProject(temporaryDirectory(), {
      'app.mjs': `
        import { recordable } from 'fir-recorder';
        process.chdir('/');
        console.log(recordable(() => 1, { name: 'one' })());`,
    });
    const flags = ['capture', '-o', 'a/b/session', '--', nodeUnderTest, 'app.mjs'];
    expect(await runFir(flags, { cwd })).toMatchObject({ code: 0, stdout: '1\n' });
    expect(readCaptured(join(cwd, 'a', 'b', 'session')).calls).toHaveLength(1);
    expect(statSync(join(cwd, 'a')).mode & 0o777).toBe(0o700);
  });
});
