import { setFlagsFromString } from 'node:v8';
import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { canAsk, confirm } from '../cli/confirm.js';
import { CommandExit, failureFrom, ToldFailure } from '../cli/failure.js';
import { untilInterrupted } from '../cli/interrupts.js';
import { pruneOptionsFrom } from '../cli/prune-options.js';
import { FirError } from '../core/errors.js';
import { type PruneOptions, type PrunePlan, pruneSession } from '../core/retain/index.js';
import { dedupeSession } from '../core/store/index.js';
import { createDedupeReport } from '../report/prune/dedupe-report.js';
import { createPruneReport, type PruneReport } from '../report/prune/index.js';

/** A flag that may be given several times, with one value each time. */
const repeatable = { multiple: true, multipleNonGreedy: true, helpGroup: 'SELECTION' } as const;

const EXIT_OVER_BOUNDS = 3;

export default class Prune extends BaseCommand {
  static override summary = 'Keep a session within bounds: drop calls that nothing kept needs.';
  static override description =
    'Deletes calls of a session in its place. --older-than, --status, --include and --exclude say which calls may go: all ' +
    'of them must hold. With --max-size or --max-count the oldest of these go until what is left is within the bounds, ' +
    'without either all of them. What a kept call needs to be replayed stays. Shows what would go and asks first; without ' +
    'a terminal --yes is needed. A session that is being recorded is refused.\n\n' +
    'Exit codes: 0 done, listed, or nothing to do; 2 wrong usage, an unreadable session or one in use; 3 what is left is ' +
    'more than the bounds; 70 a bug in fir; 130 interrupted.';

  static override usage = 'prune DIR [FLAGS]';
  static override examples = [
    {
      description: 'At most 2 GiB, the newest calls',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --max-size 2GiB',
    },
    {
      description: 'What ended well more than a week ago, without asking',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --older-than 7d --status completed --yes',
    },
    {
      description: 'A hundred calls, whatever went wrong among them',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --max-count 100 --keep failed,unfinished',
    },
    {
      description: 'Weights that every call was given, once',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --dedupe',
    },
    {
      description: 'What a crash left: dumps without records, records without dumps, unfinished files',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --orphans --dry-run',
    },
  ];

  static override args = {
    dir: stringArg({ required: true, description: 'A session directory.' }),
  };

  static override flags = {
    'max-size': string({
      summary: 'Leave at most so many bytes: 500MB, 2GiB.',
      helpValue: 'SIZE',
      helpGroup: 'BOUNDS',
    }),
    'max-count': integer({
      summary: 'Leave at most so many calls.',
      min: 0,
      helpValue: 'N',
      helpGroup: 'BOUNDS',
    }),
    'older-than': string({
      summary: 'Only calls begun longer ago: 12h, 7d, 2w.',
      helpValue: 'DURATION',
      helpGroup: 'SELECTION',
    }),
    status: option({
      summary: 'Only calls that ended like this.',
      options: ['completed', 'failed', 'unfinished', 'no_record'] as const,
      delimiter: ',',
      ...repeatable,
    })(),
    include: string({ summary: 'Only functions that match.', helpValue: 'PATTERN', ...repeatable }),
    exclude: string({
      summary: 'No functions that match; applied after --include.',
      helpValue: 'PATTERN',
      ...repeatable,
    }),
    keep: option({
      summary: 'Never drop these; first and last are those of each function.',
      options: ['failed', 'unfinished', 'first', 'last'] as const,
      delimiter: ',',
      ...repeatable,
    })(),
    stateful: string({
      summary: "Methods whose last call makes an object's state: Class=plan,begin.",
      helpValue: 'CLASS=METHODS',
      ...repeatable,
    }),
    dedupe: boolean({
      summary: 'Drop nothing: store contents that the session holds several times once, under blobs/.',
      default: false,
      exclusive: [
        ...['max-size', 'max-count', 'older-than', 'status', 'include', 'exclude', 'keep', 'stateful'],
        'orphans',
      ],
      helpGroup: 'REPAIR',
    }),
    orphans: boolean({
      summary:
        'Also dumps without records, records without dumps, unreadable lines, leftovers of unfinished writes.',
      default: false,
      helpGroup: 'REPAIR',
    }),
    yes: boolean({ char: 'y', summary: 'Do not ask.', helpGroup: 'RESULT' }),
    'dry-run': boolean({
      summary: 'List what would go, and change nothing.',
      default: false,
      helpGroup: 'RESULT',
    }),
    json: boolean({
      summary: 'One JSON document on stdout and nothing else there; never asks.',
      helpGroup: 'RESULT',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Prune);
    // A walk over many calls leaves little behind and makes much garbage; V8 would let the heap grow with it instead.
    setFlagsFromString('--optimize-for-size');
    throw new CommandExit(
      await untilInterrupted(async (signal) => {
        if (flags.dedupe) return dedupe(args.dir, flags, signal);
        const options = pruneOptionsFrom(args.dir, flags, signal);
        const isAsked = !flags.yes && !flags['dry-run'];
        if (isAsked && (flags.json || !canAsk())) throw nobodyToAsk();
        const ask = isAsked ? () => confirm('Drop them?', signal) : async () => true;
        return prune(options, await createPruneReport(options, { json: flags.json }), ask);
      }),
    );
  }
}

async function dedupe(
  path: string,
  flags: { 'dry-run': boolean; json: boolean },
  signal: AbortSignal,
): Promise<number> {
  const dryRun = flags['dry-run'];
  const report = await createDedupeReport({ path, dryRun, json: flags.json });
  try {
    const result = await dedupeSession(path, {
      dryRun,
      signal,
      onProgress: (step, done, total) => report.onProgress(step, done, total),
    });
    await report.end(result);
    return 0;
  } finally {
    report.close();
  }
}

function nobodyToAsk(): FirError {
  return new FirError('USAGE', 'fir prune asks before it deletes, and there is no terminal to ask on', {
    hint: 'look first with --dry-run; --yes drops without asking',
  });
}

async function prune(
  options: PruneOptions,
  report: PruneReport,
  ask: () => Promise<boolean>,
): Promise<number> {
  try {
    const result = await pruneSession(options, {
      onProgress: (step, done, total) => report.onProgress?.(step, done, total),
      async onPlan(plan: PrunePlan) {
        await report.plan(plan);
        return plan.isEmpty || ask();
      },
    });
    const exitCode = result.plan.isWithinBounds ? 0 : EXIT_OVER_BOUNDS;
    await report.end(result, exitCode);
    return exitCode;
  } catch (thrown) {
    const failure = failureFrom(thrown, 'prune');
    throw (await report.abandon(failure)) ? new ToldFailure(failure) : thrown;
  }
}
