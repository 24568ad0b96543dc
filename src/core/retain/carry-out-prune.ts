import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirError, messageOf } from '../errors.js';
import type { Turns } from '../io/turns.js';
import type { Session } from '../session/index.js';
import { statOf } from '../session/safe-path.js';
import { removeBlob } from '../store/blob-files.js';
import { DropPlace } from '../store/drop-place.js';
import { addToForeign } from '../store/foreign-additions.js';
import { NO_CALL, NO_RECORD } from '../store/index-lines.js';
import { removeOwnIndexes, removePartial, removeUnfinished } from '../store/leftovers.js';
import { noteProcessIn } from '../store/note-process.js';
import { rewriteIndex } from '../store/rewrite-index.js';
import type { PruneOrders } from './choose-dumps.js';
import { processesToNote } from './processes-to-note.js';
import type { Inventory } from './prune-inventory.js';

/** What threads that rotate say they take of the session: no longer true, and made anew by the next of them. */
const USAGE = '.usage';

/**
 * Does what was decided, in an order that leaves a session whose kept calls are as they were at any moment: first the index
 * no longer names what goes, which until it is gone is found by its directory; then the dumps go, the newest first, so that
 * none of them is ever without what it needs; then the contents that nothing refers to. Gives the paths of what was left
 * because it is somebody else's. FirError SESSION_IN_USE, UNSAFE_PATH, IO_FAILED, INTERRUPTED.
 */
export async function carryOut(
  session: Session,
  inventory: Inventory,
  orders: PruneOrders,
  turns: Turns,
  onProgress: (done: number, total: number) => void,
): Promise<string[]> {
  try {
    return await carryOutAll(session, inventory, orders, turns, onProgress);
  } catch (error) {
    if (error instanceof FirError || typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    throw new FirError('IO_FAILED', `not everything could be dropped: ${messageOf(error)}`, {
      where: session.path,
      hint: 'what is kept is as it was; run it again to finish',
      cause: error,
    });
  }
}

async function carryOutAll(
  session: Session,
  inventory: Inventory,
  orders: PruneOrders,
  turns: Turns,
  onProgress: (done: number, total: number) => void,
): Promise<string[]> {
  const { realRoot } = session;
  const { dumps } = inventory;
  const place = new DropPlace(realRoot);
  const left = place.open();
  removeOwnIndexes(realRoot);
  rewriteIndexes(session, inventory, orders);
  const newest = newestFirst(inventory, orders.dropped);
  for (const [done, number] of newest.entries()) {
    const dump = dumps[number];
    const path = dump?.hasDirectory === true ? place.drop(dump.name) : undefined;
    if (path !== undefined) left.push(path);
    onProgress(done + 1, newest.length);
    await turns.take();
  }
  for (const sha256 of orders.blobs) removeBlob(realRoot, sha256);
  for (const path of orders.unfinished) removeUnfinished(realRoot, path);
  for (const name of orders.partial) if (!removePartial(realRoot, name)) left.push(name);
  if (orders.dropped.length > 0 && statOf(join(realRoot, USAGE))?.isFile() === true) {
    unlinkSync(join(realRoot, USAGE));
  }
  place.close();
  return left;
}

function rewriteIndexes(session: Session, { dumps, lines }: Inventory, orders: PruneOrders): void {
  const goes = new Uint8Array(dumps.length);
  for (const number of orders.dropped) goes[number] = 1;
  const notes = processesToNote(dumps, (number) => goes[number] === 1);
  for (const file of lines.files) {
    rewriteIndex(lines, file, {
      isKept: (owner) =>
        owner === NO_RECORD || owner === NO_CALL ? !orders.dropsStrayLines : goes[owner] !== 1,
      isRewritten: (owner) => notes.has(owner),
      rewrite(owner, text) {
        const process = notes.get(owner);
        return process === undefined ? undefined : addToForeign(text, { process });
      },
    });
  }
  // The latest first: what has no note yet is told apart by all that came before it.
  for (const [number, process] of [...notes].reverse()) {
    const dump = dumps[number];
    if (dump?.hasDirectory === true) noteProcessIn(join(session.realRoot, dump.name), process);
  }
  // A directory with neither an index nor a dump would be no session any more.
  if (lines.files.length === 0 && orders.dropped.length === dumps.length) {
    writeFileSync(join(session.realRoot, 'session.jsonl'), '', { mode: 0o600, flag: 'wx' });
  }
}

function newestFirst({ dumps }: Inventory, dropped: readonly number[]): number[] {
  const ageOf = (number: number) => dumps[number]?.calls.at(-1)?.number ?? 0;
  return [...dropped].sort((a, b) => ageOf(b) - ageOf(a));
}
