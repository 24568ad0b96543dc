import type { ErrorCode } from '../errors.js';

/** What keeps a call's dump from being used. The number is kept for each call, the rest is said when asked. */
export const PROBLEMS = {
  unsafeName: { id: 1, code: 'UNSAFE_PATH', text: 'its dump directory has an unsafe name' },
  symbolicLink: { id: 2, code: 'UNSAFE_PATH', text: 'its dump directory is a symbolic link' },
  missing: { id: 3, code: 'NOT_FOUND', text: 'its dump directory is missing' },
  notDirectory: { id: 4, code: 'NOT_FOUND', text: 'its dump directory is not a directory' },
  empty: { id: 5, code: 'UNREADABLE_RECORD', text: 'its dump directory is empty' },
  noMetadata: { id: 6, code: 'UNREADABLE_RECORD', text: 'its dump directory has no metadata.jsonl' },
  noRecord: { id: 7, code: 'UNREADABLE_RECORD', text: 'its metadata.jsonl holds no readable record' },
  unsafeMetadata: {
    id: 8,
    code: 'UNSAFE_PATH',
    text: 'its metadata.jsonl is outside the session or no file',
  },
  shared: { id: 9, code: 'UNREADABLE_RECORD', text: 'another call was recorded into its dump directory' },
} as const satisfies Record<string, Problem>;

export interface Problem {
  id: number;
  code: ErrorCode;
  text: string;
}

const BY_ID: ReadonlyMap<number, Problem> = new Map(
  Object.values(PROBLEMS).map((problem) => [problem.id, problem]),
);

export function problemOf(id: number): Problem | undefined {
  return BY_ID.get(id);
}
