import type { CallResult, ReplaySummary } from '../../src/core/model/verdict.js';
import { type RunOptions, runFir } from './fir.js';

export interface ReplayDocument {
  code: number | null;
  stderr: string;
  calls: CallResult[];
  summary: ReplaySummary;
  /** `1 pass`, `2 error`, in the order of the calls. */
  verdicts: string[];
}

/** Replays a session as a user does, and reads what `--json` prints. */
export async function replayJson(
  session: string,
  flags: readonly string[] = [],
  options: RunOptions = {},
): Promise<ReplayDocument> {
  const { code, stdout, stderr } = await runFir(['replay', session, '--json', ...flags], options);
  const document = parse(stdout, stderr);
  const verdicts = document.calls.map(({ call, verdict }) => `${call} ${verdict}`);
  return { code, stderr, ...document, verdicts };
}

function parse(stdout: string, stderr: string): { calls: CallResult[]; summary: ReplaySummary } {
  try {
    return JSON.parse(stdout) as { calls: CallResult[]; summary: ReplaySummary };
  } catch {
    throw new Error(`fir replay printed no document: ${stdout}${stderr}`);
  }
}
