// Runs the end-to-end tests on each supported Node, fetched from the npm registry into .verify/nodes.
// Writes the totals to .verify/nodes.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { root, runNode, runStep } from './steps.js';

const MAJORS = [22, 24, 26];
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

function testOn(node) {
  const report = join(root, '.verify', 'node.json');
  rmSync(report, { force: true });
  const isGood = runNode(
    [
      'node_modules/vitest/vitest.mjs',
      ...['run', 'test/e2e', 'test/cli', '--reporter=default', '--reporter=json', `--outputFile=${report}`],
    ],
    // What tests start is run by that Node, also what they find as `node`.
    { FIR_TEST_NODE: node, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  );
  const { numPassedTests, numFailedTests } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0 };
  totals.passed += numPassedTests;
  totals.failed += numFailedTests > 0 || isGood ? numFailedTests : 1;
  return isGood;
}

if (!runStep('fetch Node', fetchNodes)) totals.failed += 1;
else {
  for (const major of MAJORS) {
    const node = join(folder, 'node_modules', `node${major}`, 'bin', 'node');
    runStep(`end-to-end tests on Node ${major}`, () => testOn(node));
  }
}
writeFileSync(join(root, '.verify', 'nodes.json'), `${JSON.stringify(totals)}\n`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
if (totals.failed > 0) process.exitCode = 1;
