// A Python environment for the tests that hold this project against reference libraries, made once per checkout.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../.verify/', import.meta.url));
const ENVIRONMENT = join(ROOT, 'python');
const INSTALLED = join(ENVIRONMENT, 'installed.json');
const LOCK = join(ROOT, 'python.lock');
const LOCK_WAIT_MS = 15 * 60_000;

/** The official safetensors library, and numpy for what its arrays hold. */
export const SAFETENSORS_PACKAGES = [
  'safetensors==0.8.0',
  'numpy==2.2.6; python_version < "3.11"',
  'numpy==2.4.6; python_version >= "3.11"',
] as const;

/**
 * Path of a Python interpreter that has these packages (pip requirements, pinned). Makes the environment under
 * `.verify/python` where it is missing; test files that run at once wait for each other. Rejects, saying what to
 * install, where python3, venv or pip do not work.
 */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const interpreter = join(ENVIRONMENT, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (hasInstalled(packages)) return interpreter;
  mkdirSync(ROOT, { recursive: true });
  await takeLock();
  try {
    if (readInstalled() === undefined) await makeEnvironment();
    if (!hasInstalled(packages)) await install(interpreter, packages);
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
  return interpreter;
}

async function makeEnvironment(): Promise<void> {
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  await runPython('python3', ['-m', 'venv', ENVIRONMENT]);
  writeFileSync(INSTALLED, '[]');
}

async function install(interpreter: string, packages: readonly string[]): Promise<void> {
  await runPython(interpreter, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...packages,
  ]);
  writeFileSync(INSTALLED, JSON.stringify([...(readInstalled() ?? []), ...packages]));
}

async function runPython(command: string, args: readonly string[]): Promise<void> {
  try {
    await run(command, args, { maxBuffer: 2 ** 26 });
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(
      'These tests compare with Python libraries: they need python3 (3.10 or newer) with venv and pip ' +
        `(on Debian and Ubuntu the package python3-venv), and access to a package index.\n${stderr || message}`,
    );
  }
}

/** What was installed; undefined where the environment is missing or half made. */
function readInstalled(): string[] | undefined {
  try {
    return JSON.parse(readFileSync(INSTALLED, 'utf8')) as string[];
  } catch {
    return undefined;
  }
}

function hasInstalled(packages: readonly string[]): boolean {
  const installed = readInstalled();
  return installed !== undefined && packages.every((name) => installed.includes(name));
}

/** A directory can be made by one process only. One that a killed run left behind is taken over. */
async function takeLock(): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      mkdirSync(LOCK);
      writeFileSync(join(LOCK, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned()) rmSync(LOCK, { recursive: true, force: true });
    else if (Date.now() > deadline) throw new Error(`${LOCK} was held for too long: remove it`);
    else await sleep(200);
  }
}

function isAbandoned(): boolean {
  try {
    const pid = Number(readFileSync(join(LOCK, 'pid'), 'utf8'));
    if (pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
    // Its owner has not written its process id yet, or died before it did.
    return ageMs(LOCK) > 10_000;
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
