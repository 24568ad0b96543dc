import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { removeIfPossible } from '../dump-files.js';
import { decodeSlot, encodeSlot, SLOT_BYTES, type UsageSlot } from './usage-slot.js';

const HEADER = Buffer.alloc(SLOT_BYTES);
HEADER.write('fir.usage/1\n', 'latin1');
const FREE = Buffer.alloc(SLOT_BYTES);

/** Above this many slots, those that are free are left out of a new file. */
const MAX_SLOTS = 512;
const MAX_BYTES = 1024 * 1024;
const MAX_ATTEMPTS = 8;
const { O_APPEND, O_NOFOLLOW, O_RDWR, O_WRONLY } = constants;

/**
 * `.usage` of a session: what each thread that rotates takes of it, in slots of which each is written by its own thread
 * (one of a thread that has ended, by whoever drops its calls). Never locked. What is wrong with it is mended by
 * putting a new file in its place.
 */
export class UsageFile {
  readonly own: UsageSlot;
  /** What threads before this one took may not be in it. */
  isNew = false;
  readonly #path: string;
  #fd = -1;
  #index = 0;
  /** By index, as they were last read whole. */
  readonly #known = new Map<number, UsageSlot>();
  #buffer = Buffer.alloc(16 * SLOT_BYTES);

  constructor(session: string, own: UsageSlot) {
    this.#path = `${session}/.usage`;
    this.own = own;
  }

  /** Takes a slot for this thread. Throws where no file can be had. */
  open(): void {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (this.#tryOpen()) return;
    }
    throw new Error(`${this.#path} changes all the time`);
  }

  /** Writes what this thread takes now. */
  update(): void {
    writeSync(this.#fd, encodeSlot(this.own), 0, SLOT_BYTES, this.#index * SLOT_BYTES);
    if (fstatSync(this.#fd).nlink > 0) return;
    // Another thread put a new file in place.
    this.close();
    this.open();
  }

  /** What the other threads take, those that have ended included. */
  others(): { slot: UsageSlot; index: number }[] {
    const found: { slot: UsageSlot; index: number }[] = [];
    const size = this.#read();
    for (let index = 1; index * SLOT_BYTES < size; index += 1) {
      if (index === this.#index) continue;
      const slot = this.#slotOrLast(index);
      if (slot !== undefined && slot.processUid !== this.own.processUid) found.push({ slot, index });
    }
    return found;
  }

  /** Writes the slot of a thread that has ended; undefined frees it. */
  setOther(index: number, slot: UsageSlot | undefined): void {
    const bytes = slot === undefined ? Buffer.alloc(SLOT_BYTES) : encodeSlot(slot);
    writeSync(this.#fd, bytes, 0, SLOT_BYTES, index * SLOT_BYTES);
  }

  /** Adds a slot for another thread. */
  add(slot: UsageSlot): void {
    const fd = openSync(this.#path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    try {
      writeSync(fd, encodeSlot(slot));
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    this.#known.clear();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #tryOpen(): boolean {
    try {
      this.#fd = openSync(this.#path, O_RDWR | O_NOFOLLOW);
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      this.isNew = true;
      this.#putInPlace([], isMissing);
      return false;
    }
    const size = this.#read();
    const isAligned =
      size > 0 && size % SLOT_BYTES === 0 && HEADER.equals(this.#buffer.subarray(0, SLOT_BYTES));
    const count = isAligned ? size / SLOT_BYTES - 1 : 0;
    const slots = Array.from({ length: count }, (_, at) => this.#slotAt(at + 1));
    const taken = slots.filter((slot) => slot !== undefined);
    const isSound = isAligned && slots.every((slot, at) => slot !== undefined || this.#isFree(at + 1));
    if (!isSound || (count > MAX_SLOTS && taken.length < count / 2)) {
      this.close();
      this.isNew ||= !isSound;
      this.#putInPlace(taken, false);
      return false;
    }
    const known = slots.findLastIndex((slot) => slot?.processUid === this.own.processUid);
    if (known < 0) {
      this.add(this.own);
      this.close();
      return false;
    }
    this.#index = known + 1;
    this.update();
    return true;
  }

  /** `isFirst`: only where nobody else does it meanwhile. */
  #putInPlace(slots: readonly UsageSlot[], isFirst: boolean): void {
    const beside = `${this.#path}.${this.own.processUid}.tmp`;
    writeFileSync(beside, Buffer.concat([HEADER, ...slots.map(encodeSlot)]), { mode: 0o600 });
    try {
      if (isFirst) linkSync(beside, this.#path);
      else renameSync(beside, this.#path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!isFirst) throw error;
      // A file system without hard links.
      if (code !== 'EEXIST') renameSync(beside, this.#path);
    } finally {
      if (isFirst) removeIfPossible(beside);
    }
  }

  /** Fills the buffer, and gives the size of what it holds. */
  #read(): number {
    for (;;) {
      const size = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, 0);
      if (size < this.#buffer.length || size >= MAX_BYTES) return size;
      this.#buffer = Buffer.alloc(this.#buffer.length * 2);
    }
  }

  /** One that is being written at this moment is what it was before. */
  #slotOrLast(index: number): UsageSlot | undefined {
    const slot = this.#slotAt(index);
    if (slot !== undefined) this.#known.set(index, slot);
    else if (this.#isFree(index)) this.#known.delete(index);
    return slot ?? this.#known.get(index);
  }

  #isFree(index: number): boolean {
    return FREE.equals(this.#buffer.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES));
  }

  #slotAt(index: number): UsageSlot | undefined {
    return decodeSlot(this.#buffer.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES));
  }
}
