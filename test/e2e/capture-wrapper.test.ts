import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  firBin,
  nodeUnderTest,
  type ProcessResult,
  runFir,
  runProcess,
  temporaryDirectory,
} from '../support/fir.js';
import { program } from './captured.js';

const python = 'python3';

function capture(command: readonly string[], session = temporaryDirectory()): Promise<ProcessResult> {
  return runFir(['capture', '--dir', session, '--', ...command]);
}

/** What a shell sees in `$?`. */
async function statusInShell(command: readonly string[]): Promise<number> {
  const quoted = [nodeUnderTest, firBin, 'capture', '--dir', temporaryDirectory(), '--', ...command]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const { stdout } = await runProcess('bash', ['-c', `${quoted} >/dev/null 2>&1; echo "status $?"`]);
  return Number(/status (\d+)/.exec(stdout)?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the exit code', () => {
  it.each([
    ['0 of a program that ends well', 'process.exit(0)', 0],
    ['of the program', 'process.exit(3)', 3],
    ['of an uncaught error', 'throw new Error("boom")', 1],
    ['of a program killed by SEGV', 'process.kill(process.pid, "SIGSEGV")', 139],
    ['of a program that aborts', 'process.abort()', 134],
    ['of a program killed by KILL', 'process.kill(process.pid, "SIGKILL")', 137],
  ])('is that %s', async (_name, source, expected) => {
    expect(await statusInShell([nodeUnderTest, '-e', source])).toBe(expected);
  });

  it('is 127 for a command that does not exist, 126 for one that is no program', async () => {
    const missing = await capture(['/no/such/program']);
    const text = join(temporaryDirectory(), 'notes.txt');
    writeFileSync(text, 'no program', { mode: 0o644 });
    const notExecutable = await capture([text]);
    expect([missing.code, notExecutable.code]).toEqual([127, 126]);
    expect(missing.stderr).toContain('fir: /no/such/program: command not found');
    expect(notExecutable.stderr).toContain('permission denied or not a program');
    expect(missing.stdout + notExecutable.stdout).toBe('');
  });

  it('is 125, and the program does not start, where the session cannot be written', async () => {
    const file = join(temporaryDirectory(), 'taken');
    writeFileSync(file, '');
    for (const session of [file, join(file, 'below')]) {
      const result = await capture([nodeUnderTest, '-e', 'console.log("started")'], session);
      expect(result).toMatchObject({ code: 125, stdout: '' });
      expect(result.stderr).toContain(`can't be written to ${session}: ${file} is not a directory`);
    }
  });

  it('is 125 for wrong usage', async () => {
    const result = await runFir(['capture', 'node', 'app.js']);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain('fir capture -o fir_dumps -- node app.js');
  });
});

describe('signals sent to fir alone', () => {
  /** Starts the waiting program, sends fir one signal when it is ready, and tells how both ended. */
  async function signalled(signal: NodeJS.Signals, handled: readonly string[] = []) {
    const command = [nodeUnderTest, program('wait-for-signals.cjs'), ...handled];
    const fir = spawn(nodeUnderTest, [firBin, 'capture', '--dir', temporaryDirectory(), '--', ...command], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    let childPid = 0;
    fir.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const ready = /ready (\d+)\n/.exec(stdout);
      if (ready === null || childPid !== 0) return;
      childPid = Number(ready[1]);
      fir.kill(signal);
    });
    const [code, endedBy] = (await once(fir, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal: endedBy, stdout, isOrphaned: isAlive(childPid) };
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s ends the program and then fir, which leaves no orphan',
    async (signal) => {
      expect(await signalled(signal)).toMatchObject({ code: null, signal, isOrphaned: false });
    },
  );

  it('reaches a program that handles it, once; its exit code counts', async () => {
    const result = await signalled('SIGINT', ['SIGINT=42']);
    expect(result).toMatchObject({ code: 42, signal: null, isOrphaned: false });
    expect(result.stdout).toContain('SIGINT x1\n');
  });
});

describe('at a terminal', () => {
  it('delivers Ctrl-C once, and the program stays at its terminal', async () => {
    const command = [nodeUnderTest, program('wait-for-signals.cjs'), 'SIGINT=42'];
    const fir = [nodeUnderTest, firBin, 'capture', '--dir', temporaryDirectory(), '--', ...command];
    const { stdout } = await runProcess(python, [program('run-in-terminal.py'), '\\x03', ...fir]);
    expect(stdout).toContain('SIGINT x1\n');
    expect(stdout).toMatch(/exit 42\n$/);
  });

  it('ends by the signal that Ctrl-C and Ctrl-\\ are, where nobody handles it', async () => {
    const fir = [nodeUnderTest, firBin, 'capture', '--dir', temporaryDirectory(), '--'];
    const command = [...fir, nodeUnderTest, program('wait-for-signals.cjs')];
    const interrupted = await runProcess(python, [program('run-in-terminal.py'), '\\x03', ...command]);
    const quit = await runProcess(python, [program('run-in-terminal.py'), '\\x1c', ...command]);
    expect(interrupted.stdout).toMatch(/signal 2\n$/);
    expect(quit.stdout).toMatch(/signal 3\n$/);
  });

  it('keeps stdin, stdout and stderr the terminal that they were', async () => {
    const fir = [nodeUnderTest, firBin, 'capture', '--dir', temporaryDirectory(), '--'];
    const command = [...fir, nodeUnderTest, program('show-process.cjs')];
    const { stdout } = await runProcess(python, [program('run-in-terminal.py'), '', ...command]);
    expect(stdout).toContain('"tty":[true,true,true]');
    expect(stdout).toMatch(/exit 0\n$/);
  });
});

describe('the streams', () => {
  it('passes stdin through to the last byte', async () => {
    const stdin = 'a line\nünïcödé\n'.repeat(20_000);
    const session = temporaryDirectory();
    const result = await runFir(
      ['capture', '--dir', session, '--', nodeUnderTest, program('echo-stdin.cjs')],
      { stdin },
    );
    expect(result.stdout).toBe(stdin);
    expect(result.stderr).toContain(`echoed ${Buffer.byteLength(stdin)}\n`);
  });

  it('leaves stdout alone, byte for byte, and speaks on stderr only', async () => {
    const digest = async (words: readonly string[]): Promise<string> => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const { stdout } = await runProcess('bash', ['-c', `${quoted} 2>/dev/null | sha256sum`]);
      return stdout.slice(0, 64);
    };
    const bare = [nodeUnderTest, program('write-bytes.cjs')];
    const captured = [nodeUnderTest, firBin, 'capture', '--dir', temporaryDirectory(), '--', ...bare];
    const bytes = Buffer.from(Array.from({ length: 256_000 }, (_, at) => (at * 7) % 256));
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect([await digest(bare), await digest(captured)]).toEqual([expected, expected]);
  });

  it('gives everything behind -- to the program as it is', async () => {
    const words = ['-o', 'x', '--help', '--version', '', 'two words', '--', 'y', '--dir=z'];
    const session = join(temporaryDirectory(), 'session');
    const result = await runFir([
      'capture',
      '-o',
      session,
      '--',
      nodeUnderTest,
      program('show-process.cjs'),
      ...words,
    ]);
    expect(JSON.parse(result.stdout)).toMatchObject({ argv: words, tty: [false, false, false] });
    expect(existsSync('x')).toBe(false);
  });

  it('drops the second -- that a package manager adds', async () => {
    const script = program('show-process.cjs');
    const result = await runFir([
      'capture',
      '--dir',
      temporaryDirectory(),
      '--',
      '--',
      nodeUnderTest,
      script,
      '--flag',
    ]);
    expect(JSON.parse(result.stdout).argv).toEqual(['--flag']);
  });
});
