// A Python environment for the tests that hold this project against reference libraries, made once per checkout.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLock } from './lock.js';

const run = promisify(execFile);
/** What tests fetch or make once per checkout; git does not see it. */
export const VERIFY_ROOT = fileURLToPath(new URL('../../.verify/', import.meta.url));
const ENVIRONMENT = join(VERIFY_ROOT, 'python');
const INSTALLED = join(ENVIRONMENT, 'installed.json');
const LOCK = join(VERIFY_ROOT, 'python.lock');

export const PIP_FLAGS = ['--quiet', '--disable-pip-version-check'] as const;

/** The official safetensors library, and numpy for what its arrays hold. */
export const SAFETENSORS_PACKAGES = [
  'safetensors==0.8.0',
  'numpy==2.2.6; python_version < "3.11"',
  'numpy==2.4.6; python_version >= "3.11"',
] as const;

const TORCH_PACKAGES = ['torch==2.9.1', SAFETENSORS_PACKAGES[1], SAFETENSORS_PACKAGES[2]] as const;

/**
 * Path of a Python interpreter that has these packages (pip requirements, pinned). Makes the environment under
 * `.verify/python` where it is missing; test files that run at once wait for each other. Rejects, saying what to
 * install, where python3, venv or pip do not work.
 */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const interpreter = join(ENVIRONMENT, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (hasInstalled(packages)) return interpreter;
  await withLock(LOCK, async () => {
    if (readInstalled() === undefined) await makeEnvironment();
    if (!hasInstalled(packages)) await install(interpreter, packages);
  });
  return interpreter;
}

/**
 * Path of a Python interpreter with a real torch, 1.13 or newer: one that is there (`FIR_TEST_PYTHON`, `python3`, the
 * system's), else the environment of `pythonWith`, where installing torch takes minutes once. Rejects as `pythonWith` does.
 */
export async function pythonWithTorch(): Promise<string> {
  const { FIR_TEST_PYTHON: named } = process.env;
  for (const candidate of [...(named === undefined ? [] : [named]), 'python3', '/usr/bin/python3']) {
    if (await hasTorch(candidate)) return candidate;
  }
  return pythonWith(TORCH_PACKAGES);
}

async function hasTorch(python: string): Promise<boolean> {
  const known = withTorch.get(python);
  if (known !== undefined) return known;
  const answer = run(python, ['-c', 'import importlib.util as u; assert u.find_spec("torch")']).then(
    () => true,
    () => false,
  );
  withTorch.set(python, answer);
  return answer;
}

const withTorch = new Map<string, Promise<boolean>>();

async function makeEnvironment(): Promise<void> {
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  await runPython('python3', ['-m', 'venv', ENVIRONMENT]);
  writeFileSync(INSTALLED, '[]');
}

async function install(interpreter: string, packages: readonly string[]): Promise<void> {
  await runPython(interpreter, ['-m', 'pip', 'install', ...PIP_FLAGS, ...packages]);
  writeFileSync(INSTALLED, JSON.stringify([...(readInstalled() ?? []), ...packages]));
}

/** Runs Python to its end and gives what it printed. Rejects, saying what these tests need, where it fails. */
export async function runPython(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: 2 ** 26 })).stdout;
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
