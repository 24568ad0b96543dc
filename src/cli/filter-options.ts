import { basename } from 'node:path';
import { dtypeOf } from '../core/dtype/index.js';
import { FirError } from '../core/errors.js';
import type { JsonObject } from '../core/model/json.js';
import type { FilterOptions } from '../core/retain/index.js';
import {
  type CallConditions,
  parseCallRanges,
  parseMoment,
  parseShape,
  parseSize,
  parseVerdicts,
} from '../core/select/index.js';
import type { CallStatus } from '../core/session/index.js';
import { parseStateful } from './replay-options.js';

/** The flags of `fir filter` as oclif parsed them. */
export interface FilterFlags {
  output: string | undefined;
  pack: string | undefined;
  call: string | undefined;
  include: string[] | undefined;
  exclude: string[] | undefined;
  status: ('unfinished' | CallStatus)[] | undefined;
  pid: number[] | undefined;
  since: string | undefined;
  until: string | undefined;
  dtype: string[] | undefined;
  shape: string[] | undefined;
  'min-size': string | undefined;
  'max-size': string | undefined;
  'has-nan': boolean;
  'has-inf': boolean;
  last: number | undefined;
  verdicts: string | undefined;
  closure: boolean;
  stateful: string[] | undefined;
  format: 'torch' | 'safetensors' | undefined;
  plain: boolean;
  redact: boolean;
  'dry-run': boolean;
}

/** What a filter is told, from its flags. FirError USAGE, DTYPE_UNKNOWN. */
export function filterOptionsFrom(path: string, flags: FilterFlags, signal: AbortSignal): FilterOptions {
  return {
    path,
    conditions: conditionsFrom(flags),
    asked: askedFrom(flags),
    withClosure: flags.closure,
    stateful: parseStateful(flags.stateful ?? []),
    ...(flags['dry-run'] ? { destination: undefined } : destinationsFrom(flags)),
    format: flags.format,
    plain: flags.plain,
    redact: flags.redact,
    signal,
  };
}

function destinationsFrom({ output, pack }: FilterFlags): Pick<FilterOptions, 'destination' | 'pack'> {
  const destination = output === '' ? undefined : output;
  if (destination === undefined && pack === undefined) {
    throw new FirError('USAGE', 'there is nothing to write the selected calls to', {
      hint: 'name a new directory with -o or a file with --pack, or only look with --dry-run',
    });
  }
  return { destination, pack };
}

function conditionsFrom(flags: FilterFlags): CallConditions {
  const { call, since, until, verdicts, last } = flags;
  const { 'min-size': minSize, 'max-size': maxSize } = flags;
  return {
    include: flags.include ?? [],
    exclude: flags.exclude ?? [],
    pid: flags.pid ?? [],
    status: (flags.status ?? []).map((status) => (status === 'unfinished' ? 'inputs_saved' : status)),
    dtype: (flags.dtype ?? []).map((name) => dtypeOf(name).name),
    shape: (flags.shape ?? []).map(parseShape),
    hasNan: flags['has-nan'],
    hasInf: flags['has-inf'],
    ...(call === undefined ? {} : { call: parseCallRanges(call) }),
    ...(since === undefined ? {} : { since: parseMoment(since) }),
    ...(until === undefined ? {} : { until: parseMoment(until) }),
    ...(minSize === undefined ? {} : { minSize: parseSize(minSize) }),
    ...(maxSize === undefined ? {} : { maxSize: parseSize(maxSize) }),
    ...(verdicts === undefined ? {} : { verdicts: parseVerdicts(verdicts) }),
    ...(last === undefined ? {} : { last }),
  };
}

/** The flags that select, as they were given; of a report's path only the name, which may be handed on. */
function askedFrom(flags: FilterFlags): JsonObject {
  const asked = {
    call: flags.call,
    include: flags.include,
    exclude: flags.exclude,
    status: flags.status,
    pid: flags.pid,
    since: flags.since,
    until: flags.until,
    dtype: flags.dtype,
    shape: flags.shape,
    minSize: flags['min-size'],
    maxSize: flags['max-size'],
    hasNan: flags['has-nan'] || undefined,
    hasInf: flags['has-inf'] || undefined,
    last: flags.last,
    verdicts: flags.verdicts === undefined ? undefined : basename(flags.verdicts),
    stateful: flags.stateful,
  };
  const given: JsonObject = {};
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) given[name] = value;
  return given;
}
