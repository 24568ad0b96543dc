import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { splitAtDoubleDash, wantsJson } from './argv.js';
import { CommandExit, failureFrom } from './failure.js';
import { exitWhenInterrupted } from './interrupts.js';
import { reportFailure } from './report-failure.js';

/** Runs one command line of `fir` and ends the process with its exit code. `root` is the package's directory. */
export async function main(argv: string[], root: string): Promise<void> {
  exitWhenInterrupted();
  process.on('uncaughtException', async (thrown) => process.exit(await endWith(thrown, argv)));
  // Commands are run as built, also where NODE_ENV=development makes oclif look for their sources.
  settings.enableAutoTranspile = false;
  try {
    const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    await run(argv, { root, pjson, userPlugins: false, devPlugins: false });
    process.exit(0);
  } catch (thrown) {
    process.exit(await endWith(thrown, argv));
  }
}

async function endWith(thrown: unknown, argv: string[]): Promise<number> {
  if (thrown instanceof CommandExit) return thrown.exitCode;
  const failure = failureFrom(thrown, argv[0]);
  const debug = splitAtDoubleDash(argv).own.includes('--debug');
  await reportFailure(thrown, failure, { json: wantsJson(argv), debug });
  return failure.exitCode;
}
