import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { crc32 } from 'node:zlib';
import type { UsageSlot } from './usage-slot.js';

/** The host and the process namespace of this process: process ids mean nothing elsewhere. */
export function placeOfThisProcess(): number {
  return crc32(`${hostname()} ${linkOf('/proc/self/ns/pid') ?? ''}`);
}

/** Whether a thread has ended for certain, by itself or killed. One of another host has where it said so. */
export function hasEnded({ hasEnded: saysSo, place, pid, fd, processUid }: UsageSlot, here: number): boolean {
  if (saysSo) return true;
  if (place !== here || pid === 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  if (process.platform !== 'linux' || fd < 0) return false;
  // A worker thread that was terminated, or another process that got the id: its header is not open there.
  try {
    return !readlinkSync(`/proc/${pid}/fd/${fd}`).includes(`/${processUid}.json`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
