import { parseAs, parseIgnore, parseTolerance } from '../core/compare/index.js';
import { FirError } from '../core/errors.js';
import type { NanRule, PresetName } from '../core/model/tolerance.js';
import type { ReplayOptions, ReplayTarget } from '../core/replay/index.js';
import { parseCallRanges } from '../core/select/index.js';

/** The flags of `fir replay` as oclif parsed them. */
export interface ReplayFlags {
  app: string | undefined;
  allow: string[] | undefined;
  target: string[] | undefined;
  call: string | undefined;
  include: string[] | undefined;
  exclude: string[] | undefined;
  pid: number[] | undefined;
  preset: PresetName | undefined;
  tolerance: string[] | undefined;
  ignore: string[] | undefined;
  as: string[] | undefined;
  nan: NanRule;
  ulp: number | undefined;
  device: string;
  'fail-fast': boolean;
  timeout: number | undefined;
  repeat: number | undefined;
  seed: number;
  jobs: number;
  'map-path': string[] | undefined;
  'node-option': string[] | undefined;
  python: string | undefined;
  pythonpath: string[] | undefined;
  'trust-graph-inputs': boolean;
  stateful: string[] | undefined;
  'allow-incomplete': boolean;
  debug: boolean;
}

/** What a replay is told, from its flags. FirError USAGE, DEVICE_MISSING. */
export function replayOptionsFrom(path: string, flags: ReplayFlags, signal: AbortSignal): ReplayOptions {
  return {
    path,
    app: flags.app,
    allow: flags.allow ?? [],
    device: checkDevice(flags.device),
    select: {
      call: flags.call === undefined ? undefined : parseCallRanges(flags.call),
      include: flags.include ?? [],
      exclude: flags.exclude ?? [],
      pid: flags.pid ?? [],
    },
    failFast: flags['fail-fast'],
    timeoutMs: flags.timeout === undefined ? undefined : flags.timeout * 1000,
    repeat: flags.repeat,
    seed: flags.seed,
    jobs: flags.jobs,
    comparison: {
      preset: flags.preset,
      nan: flags.nan,
      ...(flags.ulp === undefined ? {} : { ulp: flags.ulp }),
      rules: (flags.tolerance ?? []).map(parseTolerance),
      ignore: (flags.ignore ?? []).map(parseIgnore),
      as: (flags.as ?? []).map(parseAs),
    },
    mapPath: (flags['map-path'] ?? []).map(parseMapPath),
    nodeOptions: flags['node-option'] ?? [],
    python: flags.python,
    pythonPath: flags.pythonpath ?? [],
    trustGraphInputs: flags['trust-graph-inputs'],
    stateful: parseStateful(flags.stateful ?? []),
    targets: (flags.target ?? []).map(parseTarget),
    allowIncomplete: flags['allow-incomplete'],
    debug: flags.debug,
    signal,
  };
}

function checkDevice(device: string): string {
  if (/^(auto|cpu|cuda(:\d+)?)$/.test(device)) return device;
  throw new FirError('USAGE', `--device ${device} is no device`, { hint: 'Write it like --device cpu' });
}

function parseMapPath(text: string): [string, string] {
  const [old, now] = splitOnce(text, '=', '--map-path', '--map-path /models/old.onnx=./new.onnx');
  return [old, now];
}

/** Classes are names from the user, and may be called like members of Object. */
export function parseStateful(texts: readonly string[]): Record<string, string[]> {
  const stateful: Record<string, string[]> = Object.create(null);
  for (const text of texts) {
    const [className, methods] = splitOnce(text, '=', '--stateful', "--stateful 'Attention=plan'");
    stateful[className] = methods.split(',').map((method) => method.trim());
  }
  return stateful;
}

function parseTarget(text: string): ReplayTarget {
  const example = "--target 'gemm=./mine.js#gemm'";
  const [functionName, place] = splitOnce(text, '=', '--target', example);
  const [file, exportName] = splitOnce(place, '#', '--target', example);
  return { function: functionName, file, export: exportName };
}

/** The parts before and behind the first `separator`, neither of them empty. */
function splitOnce(text: string, separator: string, flag: string, example: string): [string, string] {
  const at = text.indexOf(separator);
  if (at <= 0 || at === text.length - 1) {
    throw new FirError(
      'USAGE',
      `${flag} '${text}' does not have two parts with '${separator}' between them`,
      {
        hint: `Write it like ${example}`,
      },
    );
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
