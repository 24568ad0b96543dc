import type { ErrorCode } from '../core/errors.js';
import { FirError, messageOf } from '../core/errors.js';

const EXIT_USAGE = 2;
const EXIT_BUG = 70;
export const EXIT_INTERRUPTED = 130;

/** What went wrong, as the terminal and `fir.error/1` tell it. */
export interface Failure {
  code: ErrorCode;
  message: string;
  hint?: string;
  where?: string;
  exitCode: number;
  stack?: string;
}

/** A failure that the JSON document already tells, so that no second document follows it. */
export class ToldFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Thrown to end a command with an exit code and nothing more to say. */
export class CommandExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/**
 * What was thrown as a failure: known causes exit 2, wrong usage too, anything else is a bug in fir and exits 70.
 * The exit code of `fir capture` is its program's, so its own failures are 125 to 127, as those of `env` and `timeout`.
 */
export function failureFrom(thrown: unknown, command?: string): Failure {
  const failure = describeThrown(thrown, command);
  return command === 'capture' ? { ...failure, exitCode: captureExitCode(failure.code) } : failure;
}

function captureExitCode(code: ErrorCode): number {
  if (code === 'COMMAND_NOT_FOUND') return 127;
  return code === 'COMMAND_NOT_EXECUTABLE' ? 126 : 125;
}

function describeThrown(thrown: unknown, command: string | undefined): Failure {
  if (thrown instanceof ToldFailure) return thrown.failure;
  const stack = thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {};
  if (thrown instanceof FirError) {
    return {
      code: thrown.code,
      message: withoutAdvice(thrown.message).replace(FLAG_PREFIX, ''),
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      ...(thrown.where === undefined ? {} : { where: thrown.where }),
      exitCode:
        thrown.code === 'INTERNAL' ? EXIT_BUG : thrown.code === 'INTERRUPTED' ? EXIT_INTERRUPTED : EXIT_USAGE,
      ...stack,
    };
  }
  if (isUsageError(thrown)) {
    const message = withoutAdvice(thrown.message).replace(FLAG_PREFIX, '$1: ');
    return { code: 'USAGE', message, hint: usageHint(thrown, command), exitCode: EXIT_USAGE, ...stack };
  }
  if (isSystemError(thrown)) {
    return {
      code: thrown.code === 'ENOENT' ? 'NOT_FOUND' : 'IO_FAILED',
      message: thrown.message,
      ...(thrown.path === undefined ? {} : { where: thrown.path }),
      exitCode: EXIT_USAGE,
      ...stack,
    };
  }
  return {
    code: 'INTERNAL',
    message: `a bug in fir: ${messageOf(thrown)}`,
    hint: 'Run it again with --debug to see where, and please report it.',
    exitCode: EXIT_BUG,
    ...stack,
  };
}

/** How oclif begins the message of whatever the parser of a flag threw. */
const FLAG_PREFIX = /^Parsing (--\S+) \n\t/;

/** What oclif adds to a message: colours, a pointer to --help, and advice that is wrong for flags of one value each. */
const ADDED = /\u001b\[[\d;]*m|\n\nNote: .*|\nSee more help with --help$/gs;

function withoutAdvice(message: string): string {
  return message.replace(ADDED, '');
}

/** The `fir.error/1` document. */
export function errorDocument(failure: Failure): object {
  return { format: 'fir.error/1', error: errorFields(failure), exitCode: failure.exitCode };
}

/** `error` of every document that carries one. */
export function errorFields({ code, message, hint, where }: Failure): object {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
  };
}

interface UsageError extends Error {
  flags?: unknown;
  parse?: { input?: { flags?: Record<string, unknown>; context?: { id?: string } } };
}

/** Errors of oclif's parser and look-up carry `oclif.exit`; its failure to load a file is no fault of the user. */
function isUsageError(thrown: unknown): thrown is UsageError {
  return thrown instanceof Error && 'oclif' in thrown && thrown.name !== 'ModuleLoadError';
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException & { code: string } {
  return (
    thrown instanceof Error && 'syscall' in thrown && 'code' in thrown && typeof thrown.code === 'string'
  );
}

function usageHint(error: UsageError, command: string | undefined): string {
  const known = error.parse?.input;
  const id = known?.context?.id ?? command;
  const help =
    id === undefined || /^(Command|Run) /.test(error.message) ? 'See fir --help' : `See fir ${id} --help`;
  const [unknown] = Array.isArray(error.flags) ? error.flags.filter((flag) => typeof flag === 'string') : [];
  const flags = Object.keys(known?.flags ?? {});
  const near = unknown === undefined ? undefined : closest(unknown.replace(/^-+/, ''), flags);
  return near === undefined ? help : `Did you mean --${near}? ${help}`;
}

/** The candidate that is fewest edits away, when that is near enough to be a slip of the fingers. */
export function closest(text: string, candidates: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(text.toLowerCase(), candidate);
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best !== undefined && best.distance <= Math.max(2, text.length / 3) ? best.candidate : undefined;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const substituted = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
