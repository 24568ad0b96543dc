import type { Hook } from '@oclif/core/hooks';
import { FirError } from '../core/errors.js';
import { closest } from './failure.js';

/** Suggests the command that was meant: on a terminal as a question, elsewhere as a hint, never waiting. */
const commandNotFound: Hook<'command_not_found'> = async function (options) {
  // oclif takes the words behind an unknown command for parts of its name.
  const [name = '', ...argv] = process.argv.slice(2);
  if (process.stdin.isTTY === true && process.stderr.isTTY === true && process.stdout.isTTY === true) {
    const { default: ask } = await import('@oclif/plugin-not-found');
    return ask.call(this, { ...options, id: name, argv });
  }
  const visible = options.config.commands.filter(({ hidden }) => hidden !== true).map(({ id }) => id);
  const near = closest(name, visible);
  throw new FirError('USAGE', `${name} is not a fir command`, {
    hint: near === undefined ? 'See fir --help' : `Did you mean fir ${near}? See fir --help for all commands`,
  });
};

export default commandNotFound;
