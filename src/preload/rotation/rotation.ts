import { openSync } from 'node:fs';
import { clearInterval, setInterval } from 'node:timers';
import type { StateRule } from '../../core/adapters/contract.js';
import { BlobStore } from '../blob-store.js';
import { nowMicros } from '../clock.js';
import type { RecordedObject } from '../object-table.js';
import { BlobHolds } from './blob-holds.js';
import { CallRing, type CallStart, type Share } from './call-ring.js';
import { DropYard } from './drop-dump.js';
import type { KeptCall, StorageId } from './kept-call.js';
import { SegmentLog } from './segment-log.js';
import { SessionUsage } from './session-usage.js';

export interface RotationOptions {
  session: string;
  uid: string;
  /** Of the whole session. */
  maxCount: number;
  maxBytes: number;
  /** Of one function in this thread, beside those that other calls need. */
  maxPerFunction: number;
  /** A call that was recorded is in the session no more. */
  onDropped(functionName: string): void;
  /** From now on no call of an object can be replayed. */
  onStateLost(className: string): void;
}

/** How often a thread that records nothing looks whether others need room, and for how long it then makes some. */
const TICK_MS = 100;
const TICK_US = 5000;
/** Calls that are dropped for others at most while the program waits for one of its own. */
const MAX_YIELDED = 4;

/**
 * Keeps a session within its limits by dropping the oldest calls: this thread's own, and those of threads that have
 * ended. What a kept call needs is kept with it.
 */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #limit: Share;
  readonly #ring: CallRing;
  readonly #yard: DropYard;
  readonly #blobs: BlobHolds;
  #segments: SegmentLog | undefined;
  #usage: SessionUsage | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.#limit = { calls: options.maxCount, bytes: options.maxBytes };
    this.#ring = new CallRing({ countsFunctions: Number.isFinite(options.maxPerFunction) });
    this.#blobs = new BlobHolds(new BlobStore(options.session, options.uid));
    this.#yard = new DropYard(options.session, options.uid, this.#blobs);
  }

  /** To be called once, when the session's directory is there. */
  open(): void {
    const { session, uid, maxBytes } = this.#options;
    this.#yard.open();
    const usage = new SessionUsage(session, uid, this.#limit, this.#yard);
    this.#segments = new SegmentLog(session, uid, maxBytes);
    // Open as long as this thread lives: that shows the others that it does.
    usage.open(openSync(`${session}/processes/${uid}.json`, 'r'));
    this.#usage = usage;
    this.#timer = setInterval(() => this.#onTick(), TICK_MS);
    this.#timer.unref();
  }

  /** Makes room for a call that will write so many bytes at first. False where none can be had. */
  admit(functionName: string, bytes: number): boolean {
    for (
      let call = this.#ring.victimOf(functionName, this.#options.maxPerFunction - 1);
      call !== undefined;
      call = this.#ring.victimOf(functionName, this.#options.maxPerFunction - 1)
    ) {
      this.#drop(call);
    }
    const hasRoom = this.makeRoom(1, bytes);
    if (this.#usage?.isAskedForRoom === true) this.#yield(MAX_YIELDED, Number.POSITIVE_INFINITY);
    return hasRoom;
  }

  /** The call's directory was made. */
  begin(start: CallStart): KeptCall {
    const call = this.#ring.begin(start);
    for (const history of call.lostCalls > 0 ? call.uses : []) {
      if (!history.isLost || history.isTold) continue;
      history.isTold = true;
      this.#options.onStateLost(history.className);
    }
    return call;
  }

  /** A call is not recorded at all. */
  leaveOut(
    self: RecordedObject | undefined,
    objects: Iterable<RecordedObject>,
    memory: ReadonlyMap<string, StorageId>,
  ): void {
    this.#ring.leaveOut(self === undefined ? objects : [self, ...objects], memory);
  }

  /** This thread has written content under `blobs/`. */
  noteContent(sha256: string, bytes: number): void {
    this.#blobs.add(sha256, bytes);
  }

  /** A record of the call, for the index. */
  append(call: KeptCall, line: Uint8Array): void {
    this.#segments?.append(call, line);
  }

  /** The call could not be recorded, and its directory is gone. */
  abandon(call: KeptCall): void {
    this.#forget(call);
  }

  addBytes(call: KeptCall, bytes: number): void {
    this.#ring.addBytes(call, bytes);
  }

  made(call: KeptCall, object: object, recorded: RecordedObject, rule: StateRule): void {
    this.#ring.made(call, object, recorded, rule);
  }

  /** `changed`: memory that the call changed through its arguments; undefined where it did not complete. */
  end(call: KeptCall, changed: readonly StorageId[] | undefined): void {
    this.#ring.end(call, changed !== undefined, changed ?? []);
    this.makeRoom(0, 0);
  }

  /** The end of the call could not be written: what it did to its objects can't be done again. */
  breakOff(call: KeptCall): void {
    this.#ring.breakOff(call);
    this.#ring.end(call, false, []);
  }

  /** Drops calls until so many more, and so many bytes, are within the limits. False where that can't be done. */
  makeRoom(calls: number, bytes: number): boolean {
    const usage = this.#usage;
    if (usage === undefined) return true;
    usage.wantsRoom = false;
    for (;;) {
      usage.publish(this.#ring.size + calls, this.#bytes + bytes);
      if (!usage.isOver) return true;
      if (!this.#dropOldest(usage)) break;
    }
    usage.wantsRoom = true;
    usage.publish(this.#ring.size, this.#bytes);
    return false;
  }

  /** The program ends. */
  close(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer);
    this.#usage?.end(this.#ring.size, this.#bytes);
  }

  get #bytes(): number {
    return this.#ring.bytes + this.#blobs.bytes + (this.#segments?.bytes ?? 0);
  }

  /** One call of a thread that ended before this one's oldest began, else of this one, else of any that has ended. */
  #dropOldest(usage: SessionUsage): boolean {
    this.#blobs.recheck();
    const { firstEnd, isWithinShare } = usage;
    const oldest = this.#ring.oldestStart;
    const isOlder = firstEnd !== undefined && (oldest === undefined || firstEnd <= oldest);
    if ((isOlder || isWithinShare) && usage.dropOfEnded()) return true;
    if (isWithinShare) usage.wantsRoom = true;
    const call = this.#ring.victim(usage.share);
    if (call !== undefined) {
      this.#drop(call);
      return true;
    }
    return this.#segments?.compact() === true || usage.dropOfEnded();
  }

  /** Goes down to this thread's share for one that has less than its own. */
  #yield(maxCalls: number, until: number): void {
    const usage = this.#usage;
    if (usage === undefined) return;
    for (let count = 0; count < maxCalls && nowMicros() < until && !usage.isWithinShare; count += 1) {
      const call = this.#ring.victim(usage.share);
      if (call === undefined) break;
      this.#drop(call);
      usage.publish(this.#ring.size, this.#bytes);
      if (!usage.isAskedForRoom) break;
    }
  }

  #onTick(): void {
    const usage = this.#usage;
    if (usage === undefined) return;
    try {
      usage.publish(this.#ring.size, this.#bytes);
      if (usage.isAskedForRoom) this.#yield(Number.POSITIVE_INFINITY, nowMicros() + TICK_US);
    } catch {
      // The session is gone, or its disk: the next call to be recorded says so.
    }
  }

  #drop(call: KeptCall): void {
    this.#yard.drop(call.dump);
    this.#forget(call);
    this.#options.onDropped(call.functionName);
  }

  #forget(call: KeptCall): void {
    this.#ring.drop(call);
    this.#segments?.drop(call);
  }
}
