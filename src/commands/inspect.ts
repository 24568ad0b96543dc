import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { loadPaint } from '../cli/colour.js';
import { untilInterrupted } from '../cli/interrupts.js';
import { FirError } from '../core/errors.js';
import { type InspectCall, inspectSafetensors, inspectSession, inspectTorch } from '../core/inspect/index.js';
import { withSession } from '../core/pack/index.js';
import { type CallSelection, parseCallRanges } from '../core/select/index.js';
import type { CallStatus, Dump, Session } from '../core/session/index.js';
import { writeFileJson, writeSessionJson } from '../report/inspect/json.js';
import { callLines } from '../report/inspect/one-call.js';
import { type TextOptions, writeFileText, writeSessionText } from '../report/inspect/text.js';
import { type Sink, stdoutSinkUntilClosed } from '../report/sink.js';

/** What is read of every tensor's values, beyond its layout. */
interface Depth {
  stats: boolean;
  hash: boolean;
}

interface SelectionFlags {
  call: string | undefined;
  function: string[] | undefined;
  status: ('unfinished' | CallStatus)[] | undefined;
  pid: number[] | undefined;
}

export default class Inspect extends BaseCommand {
  static override summary = 'Look into a recorded session.';
  static override description =
    'Lists the calls of a session with their tensors, sizes and durations, sums them up per function, and says which ' +
    "can't be replayed and why. Calls that never ended come first: the program may have died inside one of them. " +
    'Nothing is ever written to a session that is read.';

  static override usage = 'inspect PATH [FLAGS]';
  static override examples = [
    { description: 'All calls of a session', command: '<%= config.bin %> <%= command.id %> fir_dumps' },
    {
      description: 'One call whole: arguments with their values, tensors, layout, error',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --call 12 --stats',
    },
    {
      description: 'What did not end well, as JSON',
      command: '<%= config.bin %> <%= command.id %> fir_dumps --status failed --json',
    },
    {
      description: 'A tensor file',
      command: '<%= config.bin %> <%= command.id %> model.safetensors --hash',
    },
  ];

  static override args = {
    path: stringArg({
      required: true,
      description:
        'A session directory, its session.jsonl, one dump directory, a packed session, or a .safetensors or .pt file.',
    }),
  };

  static override flags = {
    call: string({ summary: 'Show these calls whole, by number or range: 3,10-20.', helpValue: 'N' }),
    function: string({
      summary: 'Only functions whose name matches this pattern.',
      helpValue: 'PATTERN',
      multiple: true,
      multipleNonGreedy: true,
    }),
    status: option({
      summary: 'Only calls that ended like this.',
      options: ['completed', 'failed', 'unfinished', 'no_record'] as const,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    pid: integer({
      summary: 'Only calls of this process.',
      helpValue: 'PID',
      multiple: true,
      multipleNonGreedy: true,
    }),
    stats: boolean({ summary: 'Statistics and a histogram of every tensor.' }),
    hash: boolean({ summary: "SHA-256 of every tensor's values." }),
    json: boolean({ summary: 'One JSON document on stdout and nothing else there.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    // A walk over many calls leaves little behind and makes much garbage; V8 would let the heap grow with it instead.
    setFlagsFromString('--optimize-for-size');
    const depth = { stats: flags.stats, hash: flags.hash };
    if (/\.(?:safetensors|pt)$/.test(args.path)) await inspectFile(args.path, depth, flags.json);
    else {
      const selection = selectionFrom(flags);
      await untilInterrupted((signal) =>
        withSession(args.path, signal, (session) =>
          orInterrupted(inspectCalls(session, selection, depth, flags.json), signal),
        ),
      );
    }
  }
}

async function inspectFile(path: string, depth: Depth, json: boolean): Promise<void> {
  const inspection = path.endsWith('.pt') ? inspectTorch(path, depth) : inspectSafetensors(path, depth);
  if (json) await writeFileJson(inspection, stdoutSinkUntilClosed());
  else await writeFileText(inspection, stdoutSinkUntilClosed(), await textOptions(depth));
}

/** Leaves work that changes nothing where it is. */
async function orInterrupted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  await Promise.race([work, once(signal, 'abort')]);
}

async function inspectCalls(
  session: Session,
  selection: CallSelection,
  depth: Depth,
  json: boolean,
): Promise<void> {
  const inspection = inspectSession(session, { ...selection, ...depth });
  if (json) return writeSessionJson(inspection, stdoutSinkUntilClosed());
  const options = await textOptions(depth);
  if (selection.call !== undefined) {
    return writeWholeCalls(session, inspection.calls, stdoutSinkUntilClosed(), options);
  }
  const isUnfinishedWanted = selection.status === undefined || selection.status.includes('inputs_saved');
  const unfinished = isUnfinishedWanted
    ? inspectSession(session, { ...selection, status: ['inputs_saved'] }).calls
    : [];
  await writeSessionText(inspection, unfinished, stdoutSinkUntilClosed(), options);
}

async function writeWholeCalls(
  session: Session,
  calls: Iterable<InspectCall>,
  sink: Sink,
  { paint }: TextOptions,
): Promise<void> {
  let isEmpty = true;
  for (const call of calls) {
    const dump = openDumpOf(session, call);
    await sink.write(`${callLines(call, dump, paint).join('\n')}\n\n`);
    dump?.close();
    isEmpty = false;
  }
  if (isEmpty) await sink.write('no calls selected\n');
  await sink.close();
}

/** A call whose dump can't be used is shown by what the index says. */
function openDumpOf(session: Session, { call }: InspectCall): Dump | undefined {
  const entry = session.calls[call - 1];
  try {
    if (entry?.status === 'no_record') return session.openUnrecorded(entry);
    return entry === undefined ? undefined : session.openDump(entry);
  } catch (error) {
    if (error instanceof FirError) return undefined;
    throw error;
  }
}

function selectionFrom(flags: SelectionFlags): CallSelection {
  const status = flags.status?.map((status) => (status === 'unfinished' ? 'inputs_saved' : status));
  return {
    ...(flags.call === undefined ? {} : { call: parseCallRanges(flags.call) }),
    ...(flags.function === undefined ? {} : { function: flags.function }),
    ...(status === undefined ? {} : { status }),
    ...(flags.pid === undefined ? {} : { pid: flags.pid }),
  };
}

async function textOptions(depth: Depth): Promise<TextOptions> {
  return {
    // A terminal that does not know its width says 0.
    columns: (process.stdout.isTTY === true && process.stdout.columns) || Number.POSITIVE_INFINITY,
    paint: await loadPaint(process.stdout, process.env),
    tensors: depth.stats || depth.hash,
  };
}
