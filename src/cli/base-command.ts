import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';

/** What all commands of `fir` share. Failures pass through to `main`, which alone decides on exit codes. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    debug: boolean({ summary: 'Show where an error comes from.', helpGroup: 'GLOBAL' }),
  };

  override async catch(error: Error): Promise<never> {
    throw error;
  }
}
