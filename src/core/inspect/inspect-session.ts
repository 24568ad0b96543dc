import type { CallRecord } from '../model/call.js';
import { type CallSelection, selectCalls } from '../select/index.js';
import { type CallEntry, type Dump, isRedactedCall, type Session } from '../session/index.js';
import { reasonOf } from '../session/reason-of.js';
import { callNotes } from './call-notes.js';
import { inspectTensors, type TensorOptions } from './call-tensors.js';
import { type ConstructedObjects, findConstructed } from './python-objects.js';
import { replayReasons } from './replay-reasons.js';
import { type SharedContent, sharedContents } from './shared-contents.js';
import { startedAtOf } from './started-at.js';
import { SummaryTally } from './summary.js';
import type { InspectCall, InspectSessionInfo, SessionInspection } from './types.js';
import { versionsOf } from './versions.js';

/** Which calls, and what of their tensors beside the layout: `stats` and `hash` read every value. */
export interface InspectOptions extends CallSelection, TensorOptions {}

/**
 * What `fir inspect` tells of a session. Calls are read one by one while `calls` is walked, so that a session of any
 * size takes the memory of one; `summary` tells of what was walked so far. Damage is told in the call that has it.
 */
export function inspectSession(session: Session, options: InspectOptions = {}): SessionInspection {
  let tally = new SummaryTally();
  const selected = selectCalls(session, options);
  const constructed = findConstructed(session.calls);
  return {
    format: 'fir.inspect/1',
    session: sessionInfo(session),
    calls: {
      *[Symbol.iterator]() {
        tally = new SummaryTally();
        for (const call of selected) {
          const { inspected, bytes, contents } = inspectCall(session, call, options, constructed);
          tally.add(inspected, bytes, contents);
          yield inspected;
        }
      },
    },
    summary: () => tally.summary(),
  };
}

function sessionInfo(session: Session): InspectSessionInfo {
  return {
    path: session.path,
    producer: session.producer,
    versions: versionsOf(session),
    processes: new Set(session.calls.map((call) => call.processUid)).size,
    records: session.records,
    unreadable: [...session.unreadable],
    unreadableCount: session.unreadableCount,
    ...(session.repeatedSnapshots === 0 ? {} : { repeatedSnapshots: session.repeatedSnapshots }),
  };
}

function inspectCall(
  session: Session,
  call: CallEntry,
  options: TensorOptions,
  constructed: ConstructedObjects,
): { inspected: InspectCall; bytes: number; contents?: readonly SharedContent[] } {
  const inspected: InspectCall = {
    call: call.number,
    dump: call.dump,
    function: call.functionName,
    module: call.module,
    pid: call.pid,
    status: call.status,
    startedAt: null,
    durationUs: null,
    inputs: [],
    outputs: [],
    mutated: [],
    replayable: false,
    reasons: [],
  };
  const { selfId, generation } = call;
  if (selfId !== undefined) inspected.selfId = selfId;
  if (generation !== undefined) inspected.generation = generation;
  if (call.graphCapture) inspected.graphCapture = true;
  try {
    if (call.problem === undefined) {
      return { inspected, ...addDump(session, call, options, inspected, constructed) };
    }
    inspected.reasons.push(call.problem);
    if (call.status !== 'no_record') addRecord(session.readRecord(call), inspected);
    else return { inspected, bytes: addFiles(session, call, options, inspected) };
  } catch (error) {
    inspected.reasons.push(reasonOf(error));
  }
  return { inspected, bytes: 0 };
}

/** Adds what the record and the tensor files say. Gives the bytes of the call's tensors, and those under `blobs/`. */
function addDump(
  session: Session,
  call: CallEntry,
  options: TensorOptions,
  inspected: InspectCall,
  constructed: ConstructedObjects,
): { bytes: number; contents: readonly SharedContent[] } {
  const dump = session.openDump(call);
  try {
    addRecord(dump.record, inspected);
    const { groups, bytes } = inspectTensors(dump, options);
    Object.assign(inspected, groups);
    const resolution = session.resolveOf(call, dump.record);
    inspected.reasons = replayReasons(call, dump.record, resolution, groups.inputs, constructed);
    inspected.replayable = inspected.reasons.length === 0;
    addNotes(dump, inspected);
    return { bytes, contents: sharedContents(dump, groups) };
  } finally {
    dump.close();
  }
}

/** Of a call without a record its tensor files may be left. */
function addFiles(session: Session, call: CallEntry, options: TensorOptions, inspected: InspectCall): number {
  const dump = session.openUnrecorded(call);
  if (dump === undefined) return 0;
  try {
    const { groups, bytes } = inspectTensors(dump, options);
    Object.assign(inspected, groups);
    addNotes(dump, inspected);
    return bytes;
  } finally {
    dump.close();
  }
}

function addNotes(dump: Dump, inspected: InspectCall): void {
  const notes = callNotes(dump);
  if (notes.length > 0) inspected.notes = notes;
}

function addRecord(record: CallRecord, inspected: InspectCall): void {
  inspected.startedAt = startedAtOf(record);
  inspected.durationUs = record.fir?.duration_us ?? null;
  if (isRedactedCall(record)) inspected.redacted = true;
  if (record.fir?.error !== undefined) inspected.error = record.fir.error;
}
