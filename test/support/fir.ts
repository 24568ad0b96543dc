import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
export const firBin = join(repository, 'bin', 'run.js');

export interface ProcessResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stdin?: string;
  /** Which Node runs `fir`; the one that runs the tests by default (FIR_TEST_NODE for the version matrix). */
  node?: string;
  onSpawn?(pid: number): void;
}

/** The Node binary under test: `npm run test:nodes` sets it to each version in turn. */
export const nodeUnderTest = process.env['FIR_TEST_NODE'] ?? process.execPath;

/** Runs `fir` as a user does, to its end. */
export function runFir(args: readonly string[], options: RunOptions = {}): Promise<ProcessResult> {
  return runProcess(options.node ?? nodeUnderTest, [firBin, ...args], options);
}

/** Runs any program to its end and collects what it prints. FIR_* variables of the test run do not leak into it. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd ?? repository,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    if (child.pid !== undefined) options.onSpawn?.(child.pid);
  });
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('FIR_') && !name.startsWith('VITEST') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}

/** A directory for one test, removed when it has finished. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fir-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
