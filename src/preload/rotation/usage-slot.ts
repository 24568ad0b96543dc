import { crc32 } from 'node:zlib';

/** What one thread takes of the session, as the others see it. */
export interface UsageSlot {
  processUid: string;
  pid: number;
  /** The descriptor of its header, open as long as the thread lives; -1 where it is not known. */
  fd: number;
  /** Stands for the host and the process namespace that the other numbers belong to. */
  place: number;
  hasEnded: boolean;
  /** It had to drop, or to leave out, calls that are within its share. */
  wantsRoom: boolean;
  calls: number;
  bytes: number;
  /** Microseconds since the epoch. */
  updatedAt: number;
}

/** 4 bytes of checksum over the rest, then the fields at fixed places; zeros are a free slot. */
export const SLOT_BYTES = 128;

const UID = /^[0-9a-f]{16}$/;
const ENDED = 1;
const WANTS_ROOM = 2;

export function encodeSlot(slot: UsageSlot): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(slot.processUid, 4, 'latin1');
  bytes.writeUInt32LE(slot.pid, 20);
  bytes.writeInt32LE(slot.fd, 24);
  bytes.writeUInt32LE(slot.place, 28);
  bytes.writeUInt32LE((slot.hasEnded ? ENDED : 0) | (slot.wantsRoom ? WANTS_ROOM : 0), 32);
  bytes.writeDoubleLE(slot.calls, 40);
  bytes.writeDoubleLE(slot.bytes, 48);
  bytes.writeDoubleLE(slot.updatedAt, 56);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** Undefined for a slot that is free, half written, or makes no sense. */
export function decodeSlot(bytes: Buffer): UsageSlot | undefined {
  if (bytes.length < SLOT_BYTES || bytes.readUInt32LE(0) !== crc32(bytes.subarray(4, SLOT_BYTES)))
    return undefined;
  const processUid = bytes.toString('latin1', 4, 20);
  const flags = bytes.readUInt32LE(32);
  const calls = bytes.readDoubleLE(40);
  const size = bytes.readDoubleLE(48);
  const updatedAt = bytes.readDoubleLE(56);
  if (!UID.test(processUid) || !Number.isSafeInteger(calls) || calls < 0) return undefined;
  if (!Number.isSafeInteger(size) || size < 0 || !Number.isFinite(updatedAt)) return undefined;
  return {
    processUid,
    pid: bytes.readUInt32LE(20),
    fd: bytes.readInt32LE(24),
    place: bytes.readUInt32LE(28),
    hasEnded: (flags & ENDED) !== 0,
    wantsRoom: (flags & WANTS_ROOM) !== 0,
    calls,
    bytes: size,
    updatedAt,
  };
}
