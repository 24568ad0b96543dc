import { FirError } from '../core/errors.js';
import type { JsonObject } from '../core/model/json.js';
import type { KeptKind, PruneOptions } from '../core/retain/index.js';
import { parseDuration, parseSize } from '../core/select/index.js';
import type { CallStatus } from '../core/session/index.js';
import { parseStateful } from './replay-options.js';

/** The flags of `fir prune` as oclif parsed them. */
export interface PruneFlags {
  'max-size': string | undefined;
  'max-count': number | undefined;
  'older-than': string | undefined;
  status: ('unfinished' | CallStatus)[] | undefined;
  include: string[] | undefined;
  exclude: string[] | undefined;
  keep: KeptKind[] | undefined;
  orphans: boolean;
  stateful: string[] | undefined;
  'dry-run': boolean;
}

/** What a prune is told, from its flags. FirError USAGE. */
export function pruneOptionsFrom(path: string, flags: PruneFlags, signal: AbortSignal): PruneOptions {
  const maxSize = flags['max-size'];
  return {
    path,
    chosen: chosenFrom(flags),
    keep: new Set(flags.keep ?? []),
    bounds: {
      calls: flags['max-count'],
      bytes: maxSize === undefined ? undefined : parseSize(maxSize),
    },
    orphans: flags.orphans,
    stateful: parseStateful(flags.stateful ?? []),
    dryRun: flags['dry-run'],
    asked: askedFrom(flags),
    signal,
  };
}

function chosenFrom(flags: PruneFlags): PruneOptions['chosen'] {
  const { status, include, exclude, 'older-than': olderThan } = flags;
  const choosing = [flags['max-size'], flags['max-count'], olderThan, status, include, exclude];
  if (choosing.every((flag) => flag === undefined)) {
    if (flags.orphans && flags.keep === undefined) return undefined;
    throw new FirError('USAGE', 'nothing says which calls may go', {
      hint: 'give --max-size, --max-count, --older-than, --status, --include or --exclude; or --orphans to repair',
    });
  }
  return {
    include: include ?? [],
    exclude: exclude ?? [],
    status: (status ?? []).map((name) => (name === 'unfinished' ? 'inputs_saved' : name)),
    ...(olderThan === undefined ? {} : { untilMs: Date.now() - parseDuration(olderThan) }),
  };
}

function askedFrom(flags: PruneFlags): JsonObject {
  const asked = {
    maxSize: flags['max-size'],
    maxCount: flags['max-count'],
    olderThan: flags['older-than'],
    status: flags.status,
    include: flags.include,
    exclude: flags.exclude,
    keep: flags.keep,
    orphans: flags.orphans || undefined,
    stateful: flags.stateful,
  };
  const given: JsonObject = {};
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) given[name] = value;
  return given;
}
