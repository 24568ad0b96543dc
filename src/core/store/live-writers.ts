import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import type { ProcessHeader } from '../model/session.js';
import type { CallEntry, Session } from '../session/index.js';
import { statOf } from '../session/safe-path.js';

/** Held open by a `fir prune` that is at work; readers pass over names that begin with a dot. */
export const PRUNING = '.pruning';

const PROC = '/proc';
/** The clock of a recorder and the one that the system notes starts with are read in this order, and rounded. */
const SLACK_MS = 2000;
/** A session of another machine is at rest when nothing was written for so long. */
const QUIET_MS = 10 * 60_000;

export interface LiveWriter {
  pid: number;
  /** How it is known: `has session.jsonl open`. */
  reason: string;
}

/**
 * A process that still writes to a session, or may; undefined where it is at rest. What is open is looked up where the
 * system tells it (Linux). A recorder that opens its files for one record at a time is known by the process ids of its
 * records: one of a process that is alive, and was when the record was made, counts.
 */
export function findLiveWriter(session: Session, now = Date.now()): LiveWriter | undefined {
  return openWriter(session) ?? recordingThread(session, now) ?? foreignRecorder(session, now);
}

function openWriter({ realRoot, indexes }: Session): LiveWriter | undefined {
  const files = new Map<string, string>();
  for (const name of [...indexes, PRUNING]) {
    const stats = statOf(join(realRoot, name));
    if (stats !== undefined) files.set(`${stats.dev}:${stats.ino}`, name);
  }
  const pids = entriesIn(PROC).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  for (const pid of pids) {
    for (const fd of entriesIn(join(PROC, pid, 'fd'))) {
      const name = files.get(identityOf(join(PROC, pid, 'fd', fd)));
      if (name === undefined || !isWritable(join(PROC, pid, 'fdinfo', fd))) continue;
      const reason = name === PRUNING ? 'is pruning it' : `has ${name} open`;
      return { pid: Number(pid), reason };
    }
  }
  return undefined;
}

/** Only what may be a session's file: others, as pipes and devices, are not to be looked into. */
function identityOf(link: string): string {
  try {
    if (!/\.jsonl$|\/\.pruning$/.test(readlinkSync(link))) return '';
    const { dev, ino } = statSync(link);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}

function isWritable(fdinfo: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(fdinfo, 'utf8'))?.[1] ?? '2';
    return (Number.parseInt(flags, 8) & 3) !== 0;
  } catch {
    return true;
  }
}

/** A thread of fir's writes its header before its first call and again at its end, and keeps its index open between. */
function recordingThread(session: Session, now: number): LiveWriter | undefined {
  for (const header of session.processes.values()) {
    const { pid, ended_at: endedAt, started_at: startedAt } = header;
    if (endedAt !== undefined || pid <= 0 || pid === process.pid) continue;
    if (!isOfThisMachine(header)) {
      if (now - lastWrite(session) < QUIET_MS) {
        return { pid, reason: 'is of another machine, did not say that it ended, and wrote a moment ago' };
      }
      continue;
    }
    // Where what a process has open can be seen, it was seen above.
    if (wasAliveAt(pid, Date.parse(startedAt)) && !canSeeFiles(pid)) {
      return { pid, reason: 'recorded into it, and is alive' };
    }
  }
  return undefined;
}

function foreignRecorder(session: Session, now: number): LiveWriter | undefined {
  const latest = new Map<number, number>();
  for (const call of session.calls) {
    const { recorder, pid } = call;
    if (recorder === 'fir' || pid <= 0 || pid === process.pid) continue;
    const time = call.status === 'no_record' ? madeAt(session, call, now) : (call.startedMs ?? Number.NaN);
    if (time !== undefined) latest.set(pid, Math.max(latest.get(pid) ?? Number.NEGATIVE_INFINITY, time));
  }
  for (const [pid, startedMs] of latest) {
    if (!wasAliveAt(pid, startedMs)) continue;
    // A session of a container names ids that are another process's outside of it.
    if (runsPython(pid) ?? now - lastWrite(session) < QUIET_MS) {
      return { pid, reason: 'recorded calls of it, and is alive' };
    }
  }
  return undefined;
}

/** When a dump was made whose first record may be on its way; undefined where that would have come long ago. */
function madeAt({ realRoot }: Session, { dump }: CallEntry, now: number): number | undefined {
  const made = statOf(join(realRoot, dump))?.mtimeMs;
  return made !== undefined && now - made < QUIET_MS ? made : undefined;
}

/** Whether a process is a Python interpreter, or has one loaded; undefined where that can't be told. */
function runsPython(pid: number): boolean | undefined {
  if (platform() !== 'linux') return undefined;
  try {
    const isPython = /python|pypy/i.test(basename(readlinkSync(join(PROC, String(pid), 'exe'))));
    return isPython || /python/i.test(readFileSync(join(PROC, String(pid), 'maps'), 'utf8'));
  } catch (error) {
    // A thread of the system's own has no executable.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? false : undefined;
  }
}

/** Whether the process is alive and was at a time; where either can't be told it is taken to be. */
function wasAliveAt(pid: number, timeMs: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const startMs = startOf(pid);
  return startMs === undefined || Number.isNaN(timeMs) || startMs <= timeMs + SLACK_MS;
}

/** When a process began, in milliseconds since the epoch: in ticks since the system did, of which there are 100 a second. */
function startOf(pid: number): number | undefined {
  try {
    const bootSeconds = /^btime (\d+)$/m.exec(readFileSync(join(PROC, 'stat'), 'utf8'))?.[1];
    const stat = readFileSync(join(PROC, String(pid), 'stat'), 'utf8');
    // Its name stands in brackets and may hold anything; 20 fields later is the start.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const startMs = Number(bootSeconds) * 1000 + Number(ticks) * 10;
    return Number.isFinite(startMs) ? startMs : undefined;
  } catch {
    return undefined;
  }
}

function canSeeFiles(pid: number): boolean {
  return entriesIn(join(PROC, String(pid), 'fd')).length > 0;
}

/** A header holds no name of a host: what it says of the machine tells most of them apart. */
function isOfThisMachine({ host }: ProcessHeader): boolean {
  return (
    host.platform === platform() &&
    host.arch === arch() &&
    host.release === release() &&
    host.cpu === (cpus()[0]?.model ?? 'unknown') &&
    host.memoryBytes === totalmem()
  );
}

function lastWrite({ realRoot, indexes }: Session): number {
  const times = indexes.map((name) => statOf(join(realRoot, name))?.mtimeMs ?? 0);
  return Math.max(0, ...times);
}

function entriesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
