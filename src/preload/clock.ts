/** Wall-clock time in microseconds since the epoch, from the monotonic clock so that it never steps back. */
export function nowMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

let cachedSecond = -1;
let cachedIso = '';
let cachedCompact = '';

function cacheSecond(second: number): void {
  if (second === cachedSecond) return;
  cachedSecond = second;
  cachedIso = new Date(second * 1000).toISOString().slice(0, 19);
  cachedCompact = cachedIso.replaceAll(/[-:]/g, '').replace('T', '_');
}

/** RFC 3339 in UTC with microseconds. */
export function isoFromMicros(micros: number): string {
  const second = Math.floor(micros / 1e6);
  cacheSecond(second);
  return `${cachedIso}.${String(Math.floor(micros - second * 1e6)).padStart(6, '0')}Z`;
}

/** `YYYYMMDD_HHMMSS_mmm` in UTC: local time would step back when summer time ends. */
export function compactFromMicros(micros: number): string {
  const second = Math.floor(micros / 1e6);
  cacheSecond(second);
  return `${cachedCompact}_${String(Math.floor((micros - second * 1e6) / 1000)).padStart(3, '0')}`;
}
