import { nowMicros } from '../clock.js';
import type { Share } from './call-ring.js';
import type { DropYard } from './drop-dump.js';
import { EndedCalls, segmentsIn } from './ended-calls.js';
import { hasEnded, placeOfThisProcess } from './liveness.js';
import { readStart } from './read-start.js';
import { UsageFile } from './usage-file.js';
import type { UsageSlot } from './usage-slot.js';

/** For so many microseconds a thread that was seen alive is taken to be. */
const SEEN_US = 100_000;
/** What a thread takes ahead while the session is less than half full, so that not every call looks at the others. */
const AHEAD_PART = 64;
const MAX_CALLS_AHEAD = 16;
const MAX_HEADER_BYTES = 4 * 1024 * 1024;

interface OtherThread {
  slot: UsageSlot;
  index: number;
}

/** What all threads take of the session, and the limits that hold for them together. */
export class SessionUsage {
  /** How many threads record at present, this one included. */
  live = 1;
  readonly #session: string;
  readonly #limit: Share;
  readonly #yard: DropYard;
  readonly #here = placeOfThisProcess();
  readonly #file: UsageFile;
  readonly #seenAt = new Map<string, number>();
  #others: OtherThread[] = [];
  #isAhead = false;
  #ended: OtherThread[] = [];
  #dropping: { uid: string; calls: EndedCalls } | undefined;

  constructor(session: string, uid: string, limit: Share, yard: DropYard) {
    this.#session = session;
    this.#limit = limit;
    this.#yard = yard;
    this.#file = new UsageFile(session, {
      processUid: uid,
      pid: process.pid,
      fd: -1,
      place: this.#here,
      hasEnded: false,
      wantsRoom: false,
      calls: 0,
      bytes: 0,
      updatedAt: nowMicros(),
    });
  }

  /** `fd`: of this thread's header, open as long as it lives. */
  open(fd: number): void {
    this.#file.own.fd = fd;
    this.#file.open();
    if (this.#file.isNew) this.#adopt();
  }

  get own(): Readonly<UsageSlot> {
    return this.#file.own;
  }

  set wantsRoom(wants: boolean) {
    this.#file.own.wantsRoom = wants;
  }

  /** Says what this thread takes, then looks at what all take: whoever looks later sees it. */
  publish(calls: number, bytes: number): void {
    const { own } = this.#file;
    if (this.#isAhead) {
      if (calls <= own.calls && bytes <= own.bytes) return;
      const callsAhead = Math.min(MAX_CALLS_AHEAD, Math.floor(this.#limit.calls / AHEAD_PART));
      this.#say(calls + callsAhead, bytes + Math.floor(this.#limit.bytes / AHEAD_PART));
      if (this.#isHalfEmpty) return;
    }
    this.#say(calls, bytes);
    this.#isAhead = this.#isHalfEmpty;
  }

  #say(calls: number, bytes: number): void {
    const { own } = this.#file;
    own.calls = calls;
    own.bytes = bytes;
    own.updatedAt = nowMicros();
    this.#file.update();
    this.#others = this.#file.others();
    this.#ended = this.#others.filter(({ slot }) => this.#hasEnded(slot));
    this.#ended.sort((a, b) => a.slot.updatedAt - b.slot.updatedAt);
    this.live = 1 + this.#others.length - this.#ended.length;
  }

  get #isHalfEmpty(): boolean {
    const { calls, bytes } = this.#total();
    return calls * 2 < this.#limit.calls && bytes * 2 < this.#limit.bytes;
  }

  /** What an equal part of the limits would be. */
  get share(): Share {
    return { calls: this.#limit.calls / this.live, bytes: this.#limit.bytes / this.live };
  }

  get isWithinShare(): boolean {
    const { share, own } = this;
    return own.calls <= share.calls && own.bytes <= share.bytes;
  }

  get isOver(): boolean {
    const { calls, bytes } = this.#total();
    return calls > this.#limit.calls || bytes > this.#limit.bytes;
  }

  /** Another thread has less than its share and finds no room. */
  get isAskedForRoom(): boolean {
    if (!this.#others.some(({ slot }) => slot.wantsRoom && !this.#ended.some((ended) => ended.slot === slot)))
      return false;
    const { calls, bytes } = this.#total();
    return calls >= this.#limit.calls || bytes >= this.#limit.bytes * 0.9;
  }

  /** When the thread ended that ended first; undefined where none has calls left. */
  get firstEnd(): number | undefined {
    return this.#ended[0]?.slot.updatedAt;
  }

  /** Drops one call of the thread that ended first. False where there is none. */
  dropOfEnded(): boolean {
    const [first] = this.#ended;
    if (first === undefined) return false;
    const { slot, index } = first;
    if (this.#dropping?.uid !== slot.processUid) {
      const segments = segmentsIn(this.#session).get(slot.processUid) ?? [];
      const calls = new EndedCalls(this.#session, slot.processUid, this.#yard, segments);
      this.#dropping = { uid: slot.processUid, calls };
    }
    const bytes = this.#dropping.calls.dropNewest();
    if (bytes === undefined) {
      this.#dropping = undefined;
      this.#file.setOther(index, undefined);
      return true;
    }
    const calls = Math.max(0, slot.calls - 1);
    this.#file.setOther(index, { ...slot, hasEnded: true, calls, bytes: Math.max(0, slot.bytes - bytes) });
    return true;
  }

  end(calls: number, bytes: number): void {
    this.#file.own.hasEnded = true;
    this.#file.own.wantsRoom = false;
    this.#say(calls, bytes);
  }

  #total(): Share {
    let { calls, bytes } = this.#file.own;
    for (const { slot } of this.#others) {
      calls += slot.calls;
      bytes += slot.bytes;
    }
    return { calls, bytes };
  }

  #hasEnded(slot: UsageSlot): boolean {
    if (slot.hasEnded) return true;
    const now = nowMicros();
    if (now - (this.#seenAt.get(slot.processUid) ?? Number.NEGATIVE_INFINITY) < SEEN_US) return false;
    const isGone = hasEnded(slot, this.#here);
    if (isGone) this.#seenAt.delete(slot.processUid);
    else this.#seenAt.set(slot.processUid, now);
    return isGone;
  }

  /** A new file says nothing of threads before it: their index segments do. */
  #adopt(): void {
    const known = new Set(this.#file.others().map(({ slot }) => slot.processUid));
    for (const [uid, segments] of segmentsIn(this.#session)) {
      if (known.has(uid) || uid === this.#file.own.processUid) continue;
      const calls = new EndedCalls(this.#session, uid, this.#yard, segments);
      this.#file.add({
        processUid: uid,
        ...writerOf(this.#session, uid),
        fd: -1,
        place: this.#here,
        wantsRoom: false,
        ...calls.measure(),
        updatedAt: 0,
      });
    }
  }
}

/** What a thread's header says of it: written before its first call. */
function writerOf(session: string, uid: string): { pid: number; hasEnded: boolean } {
  try {
    const text = readStart(`${session}/processes/${uid}.json`, MAX_HEADER_BYTES).toString('utf8');
    const { pid, ended_at: endedAt }: { pid?: unknown; ended_at?: unknown } = JSON.parse(text);
    if (typeof pid === 'number' && pid > 0 && pid < 2 ** 32) return { pid, hasEnded: endedAt !== undefined };
  } catch {
    // Gone, or no header.
  }
  return { pid: 0, hasEnded: true };
}
