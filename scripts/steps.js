// What the other scripts share. Runs before node_modules exists: built-ins only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** onnxruntime-node's install script would download GPU binaries, for those who run scripts in spite of .npmrc. */
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

/** Static checks: each is one command that exits with 0 when all is well. */
export const CHECKS = [
  { name: 'format and lint', command: [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings'] },
  { name: 'types', command: [bin('typescript', 'bin/tsc'), '--noEmit'] },
  { name: 'unused code and dependencies', command: [bin('knip', 'bin/knip.js')] },
  { name: 'imports between folders', command: ['scripts/check-deps.js'] },
];

/** Runs a Node script with its output shown; true when it exits with 0. */
export function runNode(args, { node = process.execPath, env: more = {} } = {}) {
  const { status } = spawnSync(node, args, { cwd: root, stdio: 'inherit', env: { ...env, ...more } });
  return status === 0;
}

/**
 * Runs test files (all of them by default) and counts: every test, a file that could not be loaded as one failure,
 * and one failure where the runner itself breaks off.
 */
export function runTests(name, files = [], options = {}) {
  const report = join(root, '.verify', 'vitest.json');
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const args = ['run', ...files, '--reporter=default', '--reporter=json', `--outputFile=${report}`];
  const isGood = runStep(name, () => runNode(['node_modules/vitest/vitest.mjs', ...args], options));
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failures = numFailedTests + unloaded.length;
  return { passed: numPassedTests, failed: failures > 0 || isGood ? failures : 1 };
}

/** Shows the totals, keeps them in .verify for .ci/run, and makes the process fail where anything did. */
export function finish(fileName, { passed, failed }) {
  const folder = join(root, '.verify');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, fileName), `${JSON.stringify({ passed, failed })}\n`);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

/** Runs a step under a title, and says how long it took. */
export function runStep(name, run) {
  console.log(`\n== ${name}`);
  const begin = Date.now();
  const isGood = run();
  console.log(`== ${name}: ${isGood ? 'passed' : 'FAILED'} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
  return isGood;
}

/** Installs what package-lock.json names, where node_modules is missing or holds something else. */
export function install() {
  if (isInstalled()) {
    console.log('node_modules is what package-lock.json names');
    return true;
  }
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { cwd: root, stdio: 'inherit', env, shell: process.platform === 'win32' };
  return spawnSync(npm, ['ci', '--no-audit', '--no-fund'], options).status === 0;
}

/** npm keeps a copy of what it installed. Packages for other platforms are in one list and not in the other. */
function isInstalled() {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (optional === true && installed[path] === undefined),
  );
}

/** A package's program by its path: what npm links under .bin is a shell script on Windows. */
function bin(packageName, path) {
  return join('node_modules', packageName, path);
}
