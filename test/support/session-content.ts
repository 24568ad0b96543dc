// What a session says and holds, call by call, so that two sessions can be held against each other.
import { createHash, type Hash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/core/errors.js';
import type { CallEntry, Dump, Session, StoredTensor } from '../../src/core/session/index.js';

export interface TensorContent {
  place: string;
  dtype: string;
  shape: number[];
  stride: number[];
  offset: number;
  device: string;
  host: string | undefined;
  sameAs: string | undefined;
  flags: string;
  /** Of the logical values, or the message of the error that reading them is. */
  values: string;
  /** The first tensor of the call that shares its memory. */
  storage: string;
}

export interface CallContent {
  dump: string;
  facts: Record<string, unknown>;
  recordText: string | undefined;
  tensors: TensorContent[];
}

/** Everything that stays the same when the call is moved to another session of all calls. */
export function contentOf(session: Session, calls: readonly CallEntry[] = session.calls): CallContent[] {
  const byPlace = new Map(session.calls.map((call) => [`${call.processUid} ${call.sequence}`, call.dump]));
  return calls.map((call) => {
    const { recorder, functionName, module, pid, processUid, status, kind, selfId, selfClass } = call;
    const { dump: name, constructs, generation, graphCapture, problem } = call;
    const parent =
      typeof call.parent === 'number' ? byPlace.get(`${processUid} ${call.parent}`) : String(call.parent);
    const facts = {
      recorder,
      functionName,
      module,
      pid,
      processUid,
      status,
      kind,
      selfId,
      selfClass,
      parent,
    };
    const opened = openedDump(session, call);
    try {
      return {
        dump: name,
        facts: { ...facts, constructs, generation, graphCapture, problem },
        recordText: opened?.recordText,
        tensors: opened === undefined ? [] : tensorsOf(opened),
      };
    } finally {
      opened?.close();
    }
  });
}

/** The same without the records' text, which a conversion changes. */
export function valuesOf(session: Session): Omit<CallContent, 'recordText'>[] {
  return contentOf(session).map(({ recordText: _text, ...rest }) => rest);
}

function openedDump(session: Session, call: CallEntry): Dump | undefined {
  return call.problem === undefined ? session.openDump(call) : session.openUnrecorded(call);
}

function tensorsOf(dump: Dump): TensorContent[] {
  const first = new Map<number | string, string>();
  const found: TensorContent[] = [];
  for (const group of ['inputs', 'outputs', 'mutated'] as const) {
    for (const key of dump.keys(group)) {
      const place = `${group} ${key}`;
      try {
        const tensor = dump.tensor(group, key);
        const { dtype, shape, stride, offset, device, host, sameAs, storage } = tensor;
        if (storage !== undefined && !first.has(storage)) first.set(storage, place);
        found.push({
          place,
          dtype,
          shape,
          stride,
          offset,
          device,
          host,
          sameAs,
          flags: `${tensor.parameter ?? false} ${tensor.requiresGrad ?? false}`,
          values: hashValues(tensor),
          storage: (storage === undefined ? undefined : first.get(storage)) ?? place,
        });
      } catch (error) {
        const nothing = { dtype: '', shape: [], stride: [], offset: 0, device: '' };
        const none = { host: undefined, sameAs: undefined, flags: '', storage: place };
        found.push({ place, ...nothing, ...none, values: messageOf(error) });
      }
    }
  }
  return found;
}

function hashValues(tensor: StoredTensor): string {
  try {
    const hash = createHash('sha256');
    for (const text of tensor.strings?.() ?? []) hash.update(JSON.stringify(text));
    for (const chunk of tensor.chunks()) hash.update(chunk);
    return hash.digest('hex');
  } catch (error) {
    return messageOf(error);
  }
}

/** Names, kinds and contents of everything under a directory. */
export function hashTree(path: string): string {
  const hash = createHash('sha256');
  addTree(hash, path, '');
  return hash.digest('hex');
}

function addTree(hash: Hash, path: string, name: string): void {
  const entries = readdirSync(join(path, name), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(name, entry.name);
    hash.update(`${inner}\0`);
    if (entry.isDirectory()) addTree(hash, path, inner);
    else if (entry.isSymbolicLink()) hash.update(readlinkSync(join(path, inner)));
    else if (entry.isFile()) hash.update(readFileSync(join(path, inner)));
  }
}
