import { basename, posix, win32 } from 'node:path';
import type { Resolution } from '../model/call.js';
import type { ProcessHeader } from '../model/session.js';
import { relativePath } from './relative-path.js';
import { scrubFault } from './text-scrubs.js';

const HERE = '.';
const REDACTED = '[redacted]';
/** Counts and lists of devices. */
const NUMERIC = /^[\d,.:-]*$/;
const OPTION = /^(-{1,2}[\w-]+)(?:=(.*))?$/s;

/**
 * A process header that tells what computed, and nothing of the machine, the command line or the environment beyond
 * numbers; paths become relative to the recorded working directory.
 */
export function redactHeader(header: ProcessHeader): ProcessHeader {
  const { cwd, argv, host, hooked, functions } = header;
  // It was redacted before.
  if (cwd === HERE) return header;
  const [command, entry, ...rest] = argv;
  return {
    ...header,
    host: { platform: host.platform, arch: host.arch, release: '', cpu: '', memoryBytes: 0 },
    argv: [
      ...(command === undefined ? [] : [basename(command.replaceAll('\\', '/'))]),
      ...(entry === undefined ? [] : [hasEntryFile(header) ? relativePath(entry, cwd) : REDACTED]),
      ...rest.map(() => REDACTED),
    ],
    execArgv: header.execArgv.map(redactOption),
    ...(header.node_options === undefined
      ? {}
      : { node_options: header.node_options.split(/\s+/).map(redactOption).join(' ') }),
    cwd: HERE,
    env: Object.fromEntries(
      Object.entries(header.env).map(([name, value]) => [name, NUMERIC.test(value) ? value : REDACTED]),
    ),
    hooked: hooked.map((name) => redactHooked(name, cwd)),
    functions: Object.fromEntries(
      Object.entries(functions).map(([name, resolution]) => [name, redactResolution(resolution, cwd)]),
    ),
    errors: header.errors.map(({ message, count }) => ({ message: scrubFault(message), count })),
  };
}

/** How a function is found again, without where the program stood. */
export function redactResolution(resolution: Resolution, cwd: string | undefined): Resolution {
  if (resolution.kind !== 'module') return resolution;
  const { root, module } = resolution;
  return { ...resolution, root: relativePath(root, cwd), module: relativePath(module, root) };
}

/** Of evaluated code the first argument stands in the place of the file, which Node always names absolutely. */
function hasEntryFile({ argv, execArgv }: ProcessHeader): boolean {
  const entry = argv[1] ?? '';
  const isEvaluated = execArgv.some((option) => /^(?:-[a-z]*[ep]|--eval|--print)(?:=|$)/.test(option));
  return !isEvaluated && (posix.isAbsolute(entry) || win32.isAbsolute(entry));
}

/** `./kernels.js#gemm`, or `onnxruntime-node@1.30.0`. */
function redactHooked(name: string, cwd: string): string {
  const at = name.lastIndexOf('#');
  return at < 0 ? name : `${relativePath(name.slice(0, at), cwd)}${name.slice(at)}`;
}

/** The name of an option, with its value where that is a number. */
function redactOption(option: string): string {
  if (option === '') return '';
  const [, name, value] = OPTION.exec(option) ?? [];
  if (name === undefined) return NUMERIC.test(option) ? option : REDACTED;
  if (value === undefined) return name;
  return `${name}=${NUMERIC.test(value) ? value : REDACTED}`;
}
