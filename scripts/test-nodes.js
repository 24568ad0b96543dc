// Runs the end-to-end tests on each supported Node, fetched from the npm registry into .verify/nodes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { finish, root, runStep, runTests } from './steps.js';

const MAJORS = [22, 24, 26];
const FILES = ['test/e2e', 'test/cli'];
const folder = join(root, '.verify', 'nodes');
const totals = { passed: 0, failed: 0 };

/** One install for all of them: with --no-save a second one would take away the first. */
function fetchNodes() {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const specs = MAJORS.map((major) => `node${major}@npm:node-${process.platform}-${process.arch}@${major}`);
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', ...specs];
  return spawnSync('npm', args, { cwd: folder, stdio: 'inherit' }).status === 0;
}

/** The tests, what they start, and what that finds as `node`, all on one Node. */
function testOn(major) {
  const node = join(folder, 'node_modules', `node${major}`, 'bin', 'node');
  const env = { FIR_TEST_NODE: node, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  return runTests(`end-to-end tests on Node ${major}`, FILES, { node, env });
}

if (runStep('fetch Node', fetchNodes)) {
  for (const major of MAJORS) {
    const { passed, failed } = testOn(major);
    totals.passed += passed;
    totals.failed += failed;
  }
} else {
  totals.failed += 1;
}
finish('nodes.json', totals);
