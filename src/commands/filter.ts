import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { CommandExit, failureFrom, ToldFailure } from '../cli/failure.js';
import { filterOptionsFrom } from '../cli/filter-options.js';
import { untilInterrupted } from '../cli/interrupts.js';
import { type FilterOptions, filterSession } from '../core/retain/index.js';
import { createFilterReport, type FilterReport } from '../report/filter/index.js';

/** A flag that may be given several times, with one value each time. */
const repeatable = { multiple: true, multipleNonGreedy: true, helpGroup: 'SELECTION' } as const;
const selection = { helpGroup: 'SELECTION' } as const;

const EXIT_NOTHING_SELECTED = 3;

export default class Filter extends BaseCommand {
  static override summary = 'Cut a session down to the calls that matter, still replayable.';
  static override description =
    'Writes a new session with the calls that all given conditions hold for, and those that they need: what made their ' +
    'objects and the state of these, and the calls that they ran inside. The old session is not changed; files are ' +
    'shared with it (hard links, or clones) where the file system can.\n\n' +
    'Exit codes: 0 written, or listed with --dry-run; 2 wrong usage or an unreadable session; 3 nothing was selected, ' +
    'and nothing written; 70 a bug in fir; 130 interrupted, and nothing written.';

  static override usage = ['filter PATH -o DIR [FLAGS]', 'filter PATH --pack FILE [FLAGS]'];
  static override examples = [
    {
      description: 'The last call of a method, with what it needs',
      command: "<%= config.bin %> <%= command.id %> fir_dumps -o small --include 'Attention.run' --last 1",
    },
    {
      description: 'What a replay found wrong',
      command: '<%= config.bin %> <%= command.id %> fir_dumps -o wrong --verdicts report.json=mismatch,error',
    },
    {
      description: 'Where the first NaN comes from: list the calls that have one',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --has-nan --dry-run',
    },
    {
      description: 'Calls with a float16 tensor of 128 rows, in the last ten minutes of the session',
      command:
        "<%= config.bin %> <%= command.id %> fir_dumps -o f16 --dtype float16 --shape '128,*' --since 10m",
    },
    {
      description: 'Without values, as one file to be shared',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --pack shared.tar.zst --status failed --redact',
    },
  ];

  static override args = {
    path: stringArg({
      required: true,
      description: 'A session directory, its session.jsonl, one dump directory, or a packed session.',
    }),
  };

  static override flags = {
    output: string({
      char: 'o',
      summary: "The new session's directory; must not exist, or be empty.",
      helpValue: 'DIR',
    }),
    pack: string({
      summary:
        'One file with the new session, to be attached to a report: .tar.zst or .tar.gz; with or without -o.',
      helpValue: 'FILE',
    }),
    include: string({ summary: 'Only functions that match.', helpValue: 'PATTERN', ...repeatable }),
    exclude: string({
      summary: 'No functions that match; applied after --include.',
      helpValue: 'PATTERN',
      ...repeatable,
    }),
    call: string({
      summary: 'Only these calls, by number or range: 3,10-20.',
      helpValue: 'N',
      ...selection,
    }),
    status: option({
      summary: 'Only calls that ended like this.',
      options: ['completed', 'failed', 'unfinished', 'no_record'] as const,
      delimiter: ',',
      ...repeatable,
    })(),
    pid: integer({ summary: 'Only calls of this process.', helpValue: 'PID', ...repeatable }),
    since: string({
      summary: 'Only calls begun then or later: a time, or 10m for that long before the last call.',
      helpValue: 'TIME',
      ...selection,
    }),
    until: string({
      summary: 'Only calls begun then or before.',
      helpValue: 'TIME',
      ...selection,
    }),
    dtype: string({
      summary: 'Only calls with a tensor, argument or result, of this dtype.',
      helpValue: 'DTYPE',
      delimiter: ',',
      ...repeatable,
    }),
    shape: string({
      summary:
        'Only calls with a tensor of this shape, * for any size: 128,*,64. With --dtype: the same tensor.',
      helpValue: 'SHAPE',
      ...repeatable,
    }),
    'min-size': string({
      summary: 'Only calls of at least so many bytes of tensors: 4096, 64KiB, 1.5GB.',
      helpValue: 'SIZE',
      ...selection,
    }),
    'max-size': string({
      summary: 'Only calls of at most so many bytes of tensors.',
      helpValue: 'SIZE',
      ...selection,
    }),
    'has-nan': boolean({ summary: 'Only calls with a NaN in a tensor; reads the values.', ...selection }),
    'has-inf': boolean({
      summary: 'Only calls with an infinity in a tensor; reads the values.',
      ...selection,
    }),
    verdicts: string({
      summary: 'Only calls that a JSON report of fir replay gives one of these verdicts.',
      helpValue: 'REPORT=VERDICTS',
      ...selection,
    }),
    last: integer({
      summary: 'Only the last N of those that all other conditions hold for.',
      min: 1,
      helpValue: 'N',
      ...selection,
    }),
    closure: boolean({
      summary: 'Bring along what the selected calls need.',
      default: true,
      allowNo: true,
      helpGroup: 'RESULT',
    }),
    stateful: string({
      summary: "Methods whose last call makes an object's state: Class=plan,begin.",
      helpValue: 'CLASS=METHODS',
      ...repeatable,
      helpGroup: 'RESULT',
    }),
    format: option({
      summary: 'Convert the tensor files.',
      options: ['torch', 'safetensors'] as const,
      helpGroup: 'RESULT',
    })(),
    plain: boolean({
      summary: "Put content that is stored once back into the calls' own files, for other readers.",
      helpGroup: 'RESULT',
    }),
    redact: boolean({
      summary: 'Leave out values and texts; shapes, dtypes and statistics stay.',
      helpGroup: 'RESULT',
    }),
    'dry-run': boolean({ summary: 'List what would be written, and write nothing.', helpGroup: 'RESULT' }),
    json: boolean({ summary: 'One JSON document on stdout and nothing else there.', helpGroup: 'RESULT' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Filter);
    throw new CommandExit(
      await untilInterrupted(async (signal) => {
        const options = filterOptionsFrom(args.path, flags, signal);
        return filter(options, await createFilterReport(options, { json: flags.json }));
      }),
    );
  }
}

async function filter(options: FilterOptions, report: FilterReport): Promise<number> {
  try {
    const result = await filterSession(options, report);
    const exitCode = result.plan.selected.length === 0 ? EXIT_NOTHING_SELECTED : 0;
    await report.end(result, exitCode);
    return exitCode;
  } catch (thrown) {
    const failure = failureFrom(thrown, 'filter');
    throw (await report.abandon(failure)) ? new ToldFailure(failure) : thrown;
  }
}
