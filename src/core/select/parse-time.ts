import { FirError } from '../errors.js';

/** A time, or how long before another one; milliseconds, the time since the epoch. */
export type Moment = { readonly at: number } | { readonly before: number };

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|[smhdw])/g;

/** RFC 3339, in which the zone, the seconds, or the whole time of day may be left out. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/i;

/** Milliseconds of `90s`, `10m`, `1h30m`, `7d`, `2w`. FirError USAGE. */
export function parseDuration(text: string): number {
  const milliseconds = durationFrom(text.trim());
  if (milliseconds !== undefined) return milliseconds;
  throw new FirError('USAGE', `"${text}" is no duration`, { hint: 'write it like 90s, 10m, 1h30m or 7d' });
}

/** A time as RFC 3339 has it, without a zone in that of this machine; or a duration back. FirError USAGE. */
export function parseMoment(text: string): Moment {
  const before = durationFrom(text.trim());
  if (before !== undefined) return { before };
  const at = timeFrom(text.trim());
  if (at !== undefined) return { at };
  throw new FirError('USAGE', `"${text}" is neither a time nor a duration`, {
    hint: 'write it like 2026-11-25T14:32:17Z, or like 10m for that long before the last call',
  });
}

function durationFrom(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit = ''] of text.matchAll(DURATION_PART))
    sum += Number(count) * (UNIT_MS[unit] ?? 0);
  return sum;
}

function timeFrom(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', zone = ''] = match;
  // Calls are known to the millisecond; what is finer is cut there too, so that a copied time finds its call.
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const time = Date.parse(`${date}T${minutes}${seconds}.${milliseconds}${zone.toUpperCase()}`);
  return Number.isNaN(time) ? undefined : time;
}
