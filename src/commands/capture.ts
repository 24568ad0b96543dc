import { relative, resolve } from 'node:path';
import { boolean, custom, integer, option, string } from '@oclif/core/flags';
import { splitAtDoubleDash } from '../cli/argv.js';
import { BaseCommand } from '../cli/base-command.js';
import { captureSummaryText, privacyNotice } from '../cli/capture-text.js';
import { loadPaint } from '../cli/colour.js';
import { dieBy } from '../cli/die-by.js';
import { CommandExit } from '../cli/failure.js';
import { takeOverInterrupts } from '../cli/interrupts.js';
import { runCapture } from '../core/capture/index.js';
import { FirError } from '../core/errors.js';

const LEVELS = ['0', '1', '3', '5', '10'] as const;

const sizeInGb = custom<number>({
  async parse(text) {
    const size = Number(text);
    if (text.trim() !== '' && size >= 0) return size;
    throw new FirError('USAGE', `--max-size ${text} is no size in GB`, {
      hint: 'Write it like --max-size 0.5',
    });
  },
});

/** Comma-separated, and given any number of times. */
const patterns = { multiple: true, multipleNonGreedy: true, delimiter: ',', helpValue: 'PATTERN' } as const;

export default class Capture extends BaseCommand {
  static override summary = 'Run a command and record the calls of its tensor libraries.';
  static override description =
    'Starts the command with recording switched on, in it, its worker threads and the Node processes that it starts; ' +
    'in Python processes FlashInfer is told to record its own calls into the same session. ' +
    'Everything behind -- is the command, untouched; its stdin, stdout, signals and exit code are its own. ' +
    'The values of arguments and results are written to disk, unless --redact leaves them out.\n\n' +
    'Exit codes: those of the command; 125 where fir itself fails, 126 where the command is no program, 127 where ' +
    'there is none of that name.';

  static override usage = 'capture [FLAGS] -- COMMAND [ARGS...]';
  static override examples = [
    { description: 'Record into fir_dumps', command: '<%= config.bin %> <%= command.id %> -- node app.js' },
    {
      description: 'Record only inference runs, at most 100 of them',
      command:
        "<%= config.bin %> <%= command.id %> -o session --include 'InferenceSession.*' --max-count 100 -- npm start",
    },
    {
      description: "Record functions of the program's own",
      command:
        "<%= config.bin %> <%= command.id %> --instrument './kernels.js#gemm,Attention' -- node app.js --fast",
    },
    {
      description: 'Record the FlashInfer calls of a Python program',
      command: '<%= config.bin %> <%= command.id %> -- python serve.py',
    },
    {
      description: 'Log calls and their arguments without recording them',
      command: '<%= config.bin %> <%= command.id %> --level 3 --log-dest calls-%i.log -- node app.js',
    },
  ];

  // What stands before `--` is told apart from flags here, to say what is wrong with it.
  static override strict = false;

  static override flags = {
    dir: string({
      char: 'o',
      summary: 'Session directory; an existing session is added to.',
      default: 'fir_dumps',
      env: 'FIR_DUMP_DIR',
      helpValue: 'DIR',
    }),
    level: option({
      summary: '1 logs names, 3 arguments and results, 5 statistics too; 10 records.',
      options: LEVELS,
      default: '10' as const,
      env: 'FIR_LOGLEVEL',
    })(),
    include: string({
      summary: 'Record only functions that match.',
      env: 'FIR_DUMP_INCLUDE',
      ...patterns,
    }),
    exclude: string({
      summary: 'Record no functions that match; applied after --include.',
      env: 'FIR_DUMP_EXCLUDE',
      ...patterns,
    }),
    'max-size': sizeInGb({
      summary: 'Limit of the size: of a process, or of the session where calls rotate (default 20).',
      env: 'FIR_DUMP_MAX_SIZE_GB',
      helpValue: 'GB',
    }),
    'max-count': integer({
      summary: 'Limit of the calls: of a process, or of the session where calls rotate (default 1000).',
      env: 'FIR_DUMP_MAX_COUNT',
      min: 0,
      helpValue: 'N',
    }),
    'max-per-function': integer({
      summary: 'Limit of the calls of each function in a process, so that one leaves room for the others.',
      env: 'FIR_DUMP_MAX_PER_FUNCTION',
      min: 0,
      helpValue: 'N',
    }),
    'on-limit': option({
      summary: 'At a limit, record no more, or drop the oldest calls that no newer one needs.',
      options: ['stop', 'rotate'] as const,
      default: 'stop' as const,
      env: 'FIR_DUMP_ON_LIMIT',
    })(),
    format: option({
      summary: 'Format of the tensor files.',
      options: ['safetensors', 'torch'] as const,
      default: 'safetensors' as const,
    })(),
    instrument: string({
      summary: "Record these exports of a module too: './kernels.js#gemm,Attention'.",
      helpValue: 'FILE#EXPORTS',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'async-parents': boolean({
      summary: 'Follow which call an asynchronous call ran inside, also where Node makes that slow.',
      env: 'FIR_ASYNC_PARENTS',
    }),
    dedupe: boolean({
      summary: 'Store a tensor whose content comes again once, under blobs/ of the session.',
      env: 'FIR_DUMP_DEDUPE',
    }),
    redact: boolean({
      summary: 'Leave out values and texts; shapes, dtypes, strides and statistics stay.',
      env: 'FIR_DUMP_REDACT',
    }),
    'log-dest': string({
      summary: 'Where the log goes: stderr, stdout or a path; %i in it is the process id.',
      env: 'FIR_LOGDEST',
      helpValue: 'DEST',
    }),
    quiet: boolean({ char: 'q', summary: 'Print neither the notice nor the summary.' }),
  };

  async run(): Promise<void> {
    const { own, rest } = splitAtDoubleDash(this.argv);
    const { flags, argv, metadata } = await this.parse(Capture, own);
    const isSaid = (name: string): boolean => metadata.flags[name]?.setFromDefault !== true;
    const [command, ...args] = rest ?? [];
    if (argv.length > 0 || command === undefined) throw misplacedCommand(argv.map(String), rest);
    const level = Number(flags.level);
    const directory = resolve(isSaid('dir') ? flags.dir : process.env['FLASHINFER_DUMP_DIR'] || flags.dir);
    const shownDirectory = relative(process.cwd(), directory) || '.';
    takeOverInterrupts();
    const { exitCode, signal, summary } = await runCapture({
      command,
      args,
      directory,
      level,
      levelSaid: isSaid('level'),
      formatSaid: isSaid('format') ? flags.format : undefined,
      logDest: flags['log-dest'],
      include: listFrom(flags.include),
      exclude: listFrom(flags.exclude),
      maxSizeGb: flags['max-size'],
      maxCount: flags['max-count'],
      maxPerFunction: flags['max-per-function'],
      onLimit: flags['on-limit'],
      instrument: flags.instrument ?? instrumentedByEnvironment(),
      asyncParents: flags['async-parents'],
      dedupe: flags.dedupe,
      redact: flags.redact,
      env: process.env,
      onStarted: (pythonLevel) => {
        if (level >= 10 && !flags.quiet)
          process.stderr.write(privacyNotice(shownDirectory, pythonLevel, flags.redact));
      },
    });
    if (!flags.quiet) {
      const paint = await loadPaint(process.stderr, process.env);
      process.stderr.write(captureSummaryText({ ...summary, directory: shownDirectory }, level, paint));
    }
    if (signal !== undefined) await dieBy(signal);
    throw new CommandExit(exitCode ?? 0);
  }
}

function misplacedCommand(before: string[], rest: string[] | undefined): FirError {
  const hint = 'Put the command behind --: fir capture -o fir_dumps -- node app.js';
  if (before.length === 0) return new FirError('USAGE', 'there is no command to record', { hint });
  const problem = rest === undefined ? 'stands where only flags are' : 'stands before --';
  return new FirError('USAGE', `${before.join(' ')} ${problem}`, { hint });
}

/** oclif splits what is on the command line, and leaves what is in the environment whole. */
function listFrom(values: string | string[] | undefined): string[] {
  return [values ?? []].flat().flatMap((value) => value.split(',').filter((pattern) => pattern !== ''));
}

/** One specification a line, as the recorder takes them. */
function instrumentedByEnvironment(): string[] {
  return (process.env['FIR_INSTRUMENT'] ?? '').split('\n').filter((line) => line !== '');
}
