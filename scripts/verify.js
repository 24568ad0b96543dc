// Everything that must hold before a change is done, from a fresh clone: install, build, static checks, tests.
// Writes the totals to .verify/result.json.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS, install, root, runNode, runStep } from './steps.js';

const folder = join(root, '.verify');
const testsPath = join(folder, 'vitest.json');
const totals = { passed: 0, failed: 0 };

/** A step counts as one; nothing after a failed install or build can be believed, so those end the run. */
function step(name, run) {
  const isGood = runStep(name, run);
  totals[isGood ? 'passed' : 'failed'] += 1;
  return isGood;
}

/** Every test counts; a file that could not be loaded has no tests and counts as one failure. */
function runTests() {
  rmSync(testsPath, { force: true });
  const isGood = runStep('tests', () =>
    runNode([
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${testsPath}`,
    ]),
  );
  const { numPassedTests, numFailedTests, numTotalTests, testResults } = existsSync(testsPath)
    ? JSON.parse(readFileSync(testsPath, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0, numTotalTests: 0, testResults: [] };
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const skipped = numTotalTests - numPassedTests - numFailedTests;
  if (skipped > 0) console.log(`${skipped} tests did not run`);
  const failures = numFailedTests + unloaded.length;
  totals.passed += numPassedTests;
  totals.failed += failures > 0 || isGood ? failures : 1;
}

mkdirSync(folder, { recursive: true });
if (step('install', install) && step('build', () => runNode(['scripts/build.js']))) {
  for (const { name, command } of CHECKS) step(name, () => runNode(command));
  runTests();
}
writeFileSync(join(folder, 'result.json'), `${JSON.stringify(totals)}\n`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
if (totals.failed > 0) process.exitCode = 1;
