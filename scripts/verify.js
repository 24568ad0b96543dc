// Everything that must hold before a change is done, from a fresh clone: install, build, static checks, tests.
import { CHECKS, finish, install, runNode, runStep, runTests } from './steps.js';

const totals = { passed: 0, failed: 0 };

/** A step counts as one. */
function step(name, run) {
  const isGood = runStep(name, run);
  totals[isGood ? 'passed' : 'failed'] += 1;
  return isGood;
}

// Nothing after a failed install or build could be believed.
if (step('install', install) && step('build', () => runNode(['scripts/build.js']))) {
  for (const { name, command } of CHECKS) step(name, () => runNode(command));
  const { passed, failed } = runTests('tests');
  totals.passed += passed;
  totals.failed += failed;
}
finish('result.json', totals);
