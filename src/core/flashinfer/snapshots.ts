/** Directory of a captured call's snapshots, in its dump directory. */
export const GRAPH_FLUSHES = 'graph_flushes';

const SNAPSHOT_NAME = /^flush_(\d{1,9})$/;

/** Number of the flush that a directory under `graph_flushes/` is of; undefined for another name. */
export function flushNumber(name: string): number | undefined {
  const [, digits] = SNAPSHOT_NAME.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Name of the dump of one replay's values of a call in a CUDA graph, relative to the session. */
export function snapshotDump(base: string, flush: string): string {
  return `${base}/${GRAPH_FLUSHES}/${flush}`;
}

/** The captured call and the flush that a snapshot's dump is of; undefined for another dump. */
export function snapshotOf(dump: string): { base: string; flush: number } | undefined {
  const [base, directory, name, ...more] = dump.split('/', 4);
  if (base === undefined || directory !== GRAPH_FLUSHES || name === undefined || more.length > 0) {
    return undefined;
  }
  const flush = flushNumber(name);
  return flush === undefined ? undefined : { base, flush };
}
