/** The first call of a function may compile its kernels. */
const FIRST_MS = 600_000;
const LATER_MS = 60_000;

/** How long a Python call may take, in milliseconds: what the user asked for, else by whether its function ran in the worker before. */
export function timeLimitOf(askedMs: number | undefined, isFirst: boolean): number {
  return askedMs ?? (isFirst ? FIRST_MS : LATER_MS);
}
