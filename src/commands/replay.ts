import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { CommandExit, failureFrom, ToldFailure } from '../cli/failure.js';
import { untilInterrupted } from '../cli/interrupts.js';
import { replayOptionsFrom } from '../cli/replay-options.js';
import type { ReplaySummary } from '../core/model/verdict.js';
import { type ReplayOptions, replaySession } from '../core/replay/index.js';
import { createReporters } from '../report/create-reporters.js';
import { Multiplexer } from '../report/multiplexer.js';

/** A flag that may be given several times, with one value each time. */
const repeatable = { multiple: true, multipleNonGreedy: true } as const;

export default class Replay extends BaseCommand {
  static override summary = 'Run recorded calls again and compare what they return.';
  static override description =
    'Runs the calls of a session again, each recorded process in a worker process of its own, and compares every ' +
    'output with the recorded one. Calls of known libraries run by themselves; modules of the recorded application ' +
    'run only with --app, anything else only with --allow.\n\n' +
    'Exit codes: 0 every selected call passed and something was compared; 1 a mismatch, error, crash or timeout; ' +
    '2 wrong usage or an unreadable session; 3 no failure, but something was not compared; 70 a bug in fir; ' +
    '130 interrupted.';

  static override usage = 'replay PATH [FLAGS]';
  static override examples = [
    {
      description: 'Run everything that was recorded',
      command: '<%= config.bin %> <%= command.id %> fir_dumps',
    },
    {
      description: "Run the application's own functions too",
      command: '<%= config.bin %> <%= command.id %> fir_dumps --app .',
    },
    {
      description: 'Two calls, with a looser tolerance for one output',
      command: "<%= config.bin %> <%= command.id %> fir_dumps --call 3,7 --tolerance 'mm_*:result=1e-2,1e-3'",
    },
    {
      description: 'Recorded traffic as the test suite of another implementation',
      command: "<%= config.bin %> <%= command.id %> fir_dumps --target 'gemm=./fast.js#gemm'",
    },
    {
      description: 'In CI: annotations on stdout, a JUnit file beside them',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --reporter github --reporter junit:report.xml',
    },
  ];

  static override args = {
    path: stringArg({
      required: true,
      description: 'A session directory, its session.jsonl, one dump directory, or a packed session.',
    }),
  };

  static override flags = {
    app: string({
      summary: "Run the recorded application's own modules, taken from this directory.",
      helpValue: 'DIR',
      helpGroup: 'CONSENT',
    }),
    allow: string({
      summary: 'Also run modules that match: built-ins, packages, the entry file, Python modules.',
      helpValue: 'PATTERN',
      helpGroup: 'CONSENT',
      ...repeatable,
    }),
    target: string({
      summary: 'Run this export in place of a recorded function: fn=./mine.js#export, or a .py file.',
      helpValue: 'FN=FILE#EXPORT',
      helpGroup: 'CONSENT',
      ...repeatable,
    }),
    call: string({
      summary: 'Only these calls, by number or range: 3,10-20.',
      helpValue: 'N',
      helpGroup: 'SELECTION',
    }),
    include: string({
      summary: 'Only functions that match.',
      helpValue: 'PATTERN',
      helpGroup: 'SELECTION',
      ...repeatable,
    }),
    exclude: string({
      summary: 'No functions that match; applied after --include.',
      helpValue: 'PATTERN',
      helpGroup: 'SELECTION',
      ...repeatable,
    }),
    pid: integer({
      summary: 'Only calls of this process.',
      helpValue: 'PID',
      helpGroup: 'SELECTION',
      ...repeatable,
    }),
    preset: option({
      summary: 'Tolerances to begin with; a FlashInfer session has its own unless this is given.',
      options: ['default', 'flashinfer', 'exact'] as const,
      helpGroup: 'COMPARISON',
    })(),
    tolerance: string({
      summary: 'Tolerance for outputs that match: pattern[:key]=rtol,atol[,ratio].',
      helpValue: 'RULE',
      helpGroup: 'COMPARISON',
      ...repeatable,
    }),
    ignore: string({
      summary: 'Leave outputs that match out of the comparison: pattern:key.',
      helpValue: 'RULE',
      helpGroup: 'COMPARISON',
      ...repeatable,
    }),
    as: string({
      summary: 'What the bytes of an output mean: pattern:key=float4_e2m1fn_x2.',
      helpValue: 'RULE',
      helpGroup: 'COMPARISON',
      ...repeatable,
    }),
    nan: option({
      summary: 'Whether NaN matches NaN at the same place.',
      options: ['equal', 'unequal'] as const,
      default: 'equal',
      helpGroup: 'COMPARISON',
    })(),
    'trust-graph-inputs': boolean({
      summary: 'Compare calls of CUDA graphs, though their inputs were read after the graph.',
      helpGroup: 'COMPARISON',
    }),
    ulp: integer({
      summary: 'float8 and float4 also match within so many steps.',
      min: 0,
      helpValue: 'N',
      helpGroup: 'COMPARISON',
    }),
    device: string({
      summary: 'Where tensors go: auto, cpu or cuda:N.',
      default: 'auto',
      helpValue: 'DEVICE',
      helpGroup: 'RUN',
    }),
    'fail-fast': boolean({ summary: 'Stop after the first call that fails.', helpGroup: 'RUN' }),
    timeout: integer({
      summary:
        'Seconds that a call may take; by default the larger of 60 and 20 times the recorded duration, and 600 for the first call of a Python function.',
      min: 1,
      helpValue: 'SECONDS',
      helpGroup: 'RUN',
    }),
    repeat: integer({
      summary: 'Run each call so often and say where its results differ.',
      min: 1,
      helpValue: 'N',
      helpGroup: 'RUN',
    }),
    seed: integer({
      summary: 'Of the random inputs that a call runs on whose own were redacted.',
      min: 0,
      default: 0,
      helpValue: 'N',
      helpGroup: 'RUN',
    }),
    jobs: integer({ summary: 'Workers at a time.', min: 1, default: 1, helpValue: 'N', helpGroup: 'RUN' }),
    'map-path': string({
      summary: 'Where a recorded file is now: old=new.',
      helpValue: 'OLD=NEW',
      helpGroup: 'RUN',
      ...repeatable,
    }),
    'node-option': string({
      summary: 'An option for the Node of the workers: --node-option=--import=tsx.',
      helpValue: 'OPTION',
      helpGroup: 'RUN',
      ...repeatable,
    }),
    python: string({
      summary: 'Python that runs the calls of Python programs; by default python3 of the environment.',
      helpValue: 'PATH',
      helpGroup: 'RUN',
    }),
    pythonpath: string({
      summary: 'A directory where that Python looks for modules first.',
      helpValue: 'DIR',
      helpGroup: 'RUN',
      ...repeatable,
    }),
    stateful: string({
      summary: "Methods whose last call makes an object's state: Class=plan,begin.",
      helpValue: 'CLASS=METHODS',
      helpGroup: 'RUN',
      ...repeatable,
    }),
    'allow-incomplete': boolean({
      summary: 'Exit with 0 instead of 3 where something was not compared.',
      helpGroup: 'REPORT',
    }),
    reporter: string({
      summary: 'pretty, json, junit or github, with :FILE behind it to write a file.',
      helpValue: 'NAME[:FILE]',
      helpGroup: 'REPORT',
      ...repeatable,
    }),
    json: boolean({ summary: 'The same as --reporter json.', helpGroup: 'REPORT' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay);
    throw new CommandExit(
      await untilInterrupted(async (signal) => {
        const options = replayOptionsFrom(args.path, flags, signal);
        const named = [...(flags.json ? ['json'] : []), ...(flags.reporter ?? [])];
        const reporters = await createReporters(named, { showsAllOutput: flags.debug });
        return replay(options, new Multiplexer(reporters));
      }),
    );
  }
}

async function replay(options: ReplayOptions, reporter: Multiplexer): Promise<number> {
  let summary: ReplaySummary;
  try {
    summary = await replaySession(options, reporter);
  } catch (thrown) {
    const failure = failureFrom(thrown, 'replay');
    throw (await reporter.abandon(failure)) ? new ToldFailure(failure) : thrown;
  }
  if (reporter.failure === undefined) return summary.exitCode;
  // Stdout has its document, or is what failed: the terminal is told, and a green replay is not left green.
  const failure = failureFrom(reporter.failure, 'replay');
  throw new ToldFailure({
    ...failure,
    exitCode: summary.exitCode === 0 ? failure.exitCode : summary.exitCode,
  });
}
