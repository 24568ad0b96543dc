import { readFileSync, statSync } from 'node:fs';
import { FirError, messageOf } from '../errors.js';
import type { JsonValue } from '../model/json.js';
import { VERDICTS, type Verdict } from '../model/verdict.js';
import type { Session } from '../session/index.js';
import { objectFrom, stringFrom } from '../session/json-fields.js';

/** Calls of which a replay's JSON report says one of the verdicts. */
export interface VerdictCondition {
  /** Path of the report. */
  report: string;
  verdicts: readonly Verdict[];
}

/** No longer text fits into one string. */
const MAX_REPORT_BYTES = 500 * 1024 * 1024;

/** `report.json=mismatch,error`. FirError USAGE. */
export function parseVerdicts(text: string): VerdictCondition {
  const at = text.lastIndexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new FirError('USAGE', `--verdicts '${text}' names no report and verdicts with '=' between them`, {
      hint: 'write it like --verdicts report.json=mismatch,error',
    });
  }
  const verdicts = text
    .slice(at + 1)
    .split(',')
    .map((name) => verdictFrom(name.trim()));
  return { report: text.slice(0, at), verdicts };
}

function verdictFrom(name: string): Verdict {
  const verdict = VERDICTS.find((known) => known === name);
  if (verdict !== undefined) return verdict;
  throw new FirError('USAGE', `"${name}" is no verdict`, { hint: `verdicts are ${VERDICTS.join(', ')}` });
}

/**
 * Numbers of the session's calls that the report gives one of the verdicts; they are found by their dumps, so that a
 * report about a larger session serves for a part of it. FirError USAGE where it is no report, or of another session.
 */
export function callsWithVerdicts(session: Session, { report, verdicts }: VerdictCondition): Set<number> {
  const found = new Set<number>();
  let told = 0;
  let known = 0;
  for (const { dump, verdict } of readVerdicts(report)) {
    told += 1;
    const call = session.callOf(dump);
    if (call === undefined) continue;
    known += 1;
    if (verdicts.some((wanted) => wanted === verdict)) found.add(call.number);
  }
  if (told > 0 && known === 0) {
    throw new FirError(
      'USAGE',
      `${report} reports on another session: none of its calls is in ${session.path}`,
      {
        hint: 'write one of this session: fir replay SESSION --reporter json:report.json',
      },
    );
  }
  return found;
}

function readVerdicts(path: string): { dump: string; verdict: string }[] {
  const document = readDocument(path);
  const calls =
    document === undefined || document['format'] !== 'fir.replay/1' ? undefined : document['calls'];
  if (!Array.isArray(calls)) {
    throw new FirError('USAGE', `${path} is no report of fir replay`, {
      hint: 'write one: fir replay SESSION --reporter json:report.json',
    });
  }
  return calls.flatMap((call) => {
    const dump = stringFrom(objectFrom(call)?.['dump']);
    const verdict = stringFrom(objectFrom(call)?.['verdict']);
    return dump === undefined || verdict === undefined ? [] : [{ dump, verdict }];
  });
}

/** Undefined where the file holds no JSON object. FirError NOT_FOUND, TOO_LARGE. */
function readDocument(path: string): Record<string, JsonValue> | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_REPORT_BYTES) {
      throw new FirError('TOO_LARGE', `the report ${path} is larger than 500 MiB`, { where: path });
    }
    return objectFrom(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    if (error instanceof FirError) throw error;
    throw new FirError('NOT_FOUND', `the report can't be read: ${messageOf(error)}`, {
      where: path,
      cause: error,
    });
  }
}
