// All static checks; every one runs, whatever the others say.
import { CHECKS, runNode, runStep } from './steps.js';

const failed = CHECKS.filter(({ name, command }) => !runStep(name, () => runNode(command)));
if (failed.length > 0) process.exitCode = 1;
