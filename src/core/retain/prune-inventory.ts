import { join } from 'node:path';
import { snapshotOf } from '../flashinfer/index.js';
import type { Turns } from '../io/turns.js';
import type { CallEntry, Session } from '../session/index.js';
import { PROBLEMS } from '../session/problems.js';
import { isPlainName, statOf } from '../session/safe-path.js';
import { readBlobSizes } from '../store/blob-files.js';
import { blobReferencesIn } from '../store/blob-references.js';
import { type DumpTree, readDumpTree } from '../store/dump-tree.js';
import { type IndexLines, NO_CALL, NO_RECORD, readIndexLines } from '../store/index-lines.js';
import { treeBytes } from './tree-bytes.js';

/** One dump of a session as it stands there. */
export interface InventoryDump {
  name: string;
  calls: CallEntry[];
  hasDirectory: boolean;
  /** Of its own files. */
  bytes: number;
  /** Of its lines in the index. */
  lineBytes: number;
  /** Contents under `blobs/`, by number. */
  blobs: ReadonlySet<number>;
  unfinished: DumpTree['unfinished'];
  /** Why it is not to be touched. */
  stays: string | undefined;
  /** Why it is no use to anybody. */
  useless: string | undefined;
}

/** Everything in a session that a prune may take away, and how large it is. */
export interface Inventory {
  dumps: InventoryDump[];
  lines: IndexLines;
  /** By number. */
  blobs: { sha256: string; bytes: number }[];
  /** Lines of the index that are no call's. */
  strayLines: { count: number; bytes: number };
  /** Of process headers. */
  headerBytes: number;
}

const RECORD_WITHOUT_DUMP: ReadonlySet<string> = new Set([
  PROBLEMS.unsafeName.text,
  PROBLEMS.missing.text,
  PROBLEMS.notDirectory.text,
]);
const DUMP_WITHOUT_RECORD: ReadonlySet<string> = new Set([
  PROBLEMS.empty.text,
  PROBLEMS.noMetadata.text,
  PROBLEMS.noRecord.text,
]);
const NO_DUMPS: ReadonlySet<string> = new Set(['blobs', 'processes']);

/** Looks through a session. FirError UNSAFE_PATH, INTERRUPTED. */
export async function takeInventory(
  session: Session,
  turns: Turns,
  onProgress: (done: number, total: number) => void,
): Promise<Inventory> {
  const dumps = dumpsOf(session);
  const numbers = new Map(dumps.map(({ name }, number) => [name, number]));
  const blobs = new Blobs(session.realRoot);
  const lines = await readIndexLines(
    session,
    (dump) => numbers.get(baseOf(dump)),
    (owner, sha256) => blobs.refer(dumps[owner], sha256),
    turns,
  );
  const strayLines = measureLines(dumps, lines);
  for (const [done, dump] of dumps.entries()) {
    lookAt(session.realRoot, dump, blobs);
    onProgress(done + 1, dumps.length);
    await turns.take();
  }
  const headers = join(session.realRoot, 'processes');
  const headerBytes = statOf(headers)?.isDirectory() === true ? (treeBytes(headers) ?? 0) : 0;
  return { dumps, lines, blobs: blobs.list, strayLines, headerBytes };
}

function dumpsOf({ calls }: Session): InventoryDump[] {
  const found = new Map<string, InventoryDump>();
  for (const call of calls) {
    const name = baseOf(call.dump);
    const known = found.get(name);
    if (known !== undefined) known.calls.push(call);
    else found.set(name, { name, calls: [call], ...UNSEEN });
  }
  return [...found.values()];
}

/** Most dumps refer to none, and there may be many dumps. */
const NO_BLOBS: ReadonlySet<number> = new Set();

const UNSEEN = {
  blobs: NO_BLOBS,
  hasDirectory: false,
  bytes: 0,
  lineBytes: 0,
  unfinished: [],
  stays: undefined,
  useless: undefined,
};

/** The dump that a snapshot stands in. */
function baseOf(dump: string): string {
  return snapshotOf(dump)?.base ?? dump;
}

function measureLines(dumps: readonly InventoryDump[], lines: IndexLines): Inventory['strayLines'] {
  const stray = { count: 0, bytes: 0 };
  for (let line = 0; line < lines.size; line++) {
    const owner = lines.owner[line] ?? 0;
    const length = lines.length[line] ?? 0;
    const dump = dumps[owner];
    if (dump !== undefined) dump.lineBytes += length;
    else if (owner === NO_RECORD || owner === NO_CALL) {
      stray.count += 1;
      stray.bytes += length;
    }
  }
  return stray;
}

function lookAt(root: string, dump: InventoryDump, blobs: Blobs): void {
  const { name, calls } = dump;
  const path = join(root, name);
  const stats = isDumpName(name) ? statOf(path) : undefined;
  if (stats?.isSymbolicLink() === true) dump.stays = PROBLEMS.symbolicLink.text;
  if (stats?.isDirectory() === true) {
    const tree = readDumpTree(path);
    dump.hasDirectory = true;
    dump.bytes = tree.bytes;
    dump.unfinished = tree.unfinished;
    if (tree.stranger !== undefined)
      dump.stays = `its dump directory holds ${tree.stranger}, which is no dump's`;
    for (const sha256 of tree.holds) blobs.refer(dump, sha256);
    const isListed = dump.lineBytes > 0 && calls.every(({ status }) => hasEnded(status));
    if (blobs.list.length > 0 && !isListed) {
      for (const sha256 of blobReferencesIn(path)) blobs.refer(dump, sha256);
    }
  }
  dump.useless = uselessness(dump);
}

/** A record may name anything: what is a session's own stands there by no record's word. */
function isDumpName(name: string): boolean {
  return isPlainName(name) && !name.startsWith('.') && !NO_DUMPS.has(name);
}

function uselessness({ calls, hasDirectory }: InventoryDump): string | undefined {
  const problems = calls.map(({ problem }) => problem ?? '');
  if (!hasDirectory && problems.every((problem) => RECORD_WITHOUT_DUMP.has(problem))) {
    return `a record without a dump: ${problems[0]}`;
  }
  const isUnrecorded = calls.every(({ status }) => status === 'no_record');
  return hasDirectory && isUnrecorded && problems.every((problem) => DUMP_WITHOUT_RECORD.has(problem))
    ? `a dump without a record: ${problems[0]}`
    : undefined;
}

function hasEnded(status: CallEntry['status']): boolean {
  return status === 'completed' || status === 'failed';
}

/** The contents that stand in `blobs/`, numbered. */
class Blobs {
  readonly list: Inventory['blobs'] = [];
  readonly #numbers = new Map<string, number>();

  constructor(root: string) {
    for (const [sha256, bytes] of readBlobSizes(root)) {
      this.#numbers.set(sha256, this.list.length);
      this.list.push({ sha256, bytes });
    }
  }

  refer(dump: InventoryDump | undefined, sha256: string): void {
    const number = this.#numbers.get(sha256);
    if (number === undefined || dump === undefined) return;
    dump.blobs = new Set(dump.blobs).add(number);
  }
}
