import { isFlushedWithoutOutputs, objectFromRepr } from '../flashinfer/index.js';
import type { ExecutionStatus, MemberKind } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { numberFrom, objectFrom, smallCountFrom, stringFrom } from './json-fields.js';

/** What of a record the list of calls needs. */
export interface RecordHead {
  functionName: string;
  module: string;
  callSequence: number;
  pid: number;
  status: ExecutionStatus;
  /** As recorded: provenance, never followed. */
  dumpDir: string;
  graphCapture: boolean;
  selfId: number | bigint | undefined;
  selfClass: string | undefined;
  kind: MemberKind;
  /** When the call began, for ordering what no index orders; milliseconds, NaN where the record does not say. */
  startedMs: number;
  /** What only fir writes. */
  fir: FirHead | undefined;
  /** The process of another recorder's call, where fir noted it: `pid4242#2`. */
  foreignProcess: string | undefined;
}

interface FirHead {
  processUid: string;
  sequence: number;
  parent: number | null | 'unknown';
  constructs: boolean;
}

const STATUSES: ReadonlySet<string> = new Set<ExecutionStatus>([
  'inputs_saved',
  'completed',
  'failed',
  'graph_capture_pending_flush',
]);
const KINDS: ReadonlySet<string> = new Set<MemberKind>(['function', 'constructor', 'method', 'static']);

/** The head of a record, or why the object is none. */
export function headFrom(value: JsonObject): RecordHead | string {
  const functionName = stringFrom(value['function_name']);
  const dumpDir = stringFrom(value['dump_dir']);
  const status = value['execution_status'];
  if (functionName === undefined || functionName === '') return 'not a record: no function_name';
  if (dumpDir === undefined || dumpDir === '') return 'not a record: no dump_dir';
  if (!isStatus(status)) return 'not a record: its execution_status is not known';
  const additions = foreignAdditionsIn(value);
  const fir = additions === undefined ? firHeadFrom(value) : undefined;
  if (typeof fir === 'string') return fir;
  const self = fir === undefined ? foreignSelf(value) : firSelf(value);
  const isObjects = fir === undefined && self.selfId !== undefined;
  const kind = kindFrom(value, functionName, isObjects);
  const pid = smallCountFrom(value['process_id']) ?? 0;
  const hasEnded = fir === undefined && status === 'inputs_saved' && isFlushedWithoutOutputs(value);
  return {
    functionName,
    module: stringFrom(value['module']) ?? '',
    callSequence: smallCountFrom(value['call_sequence']) ?? 0,
    pid,
    status: hasEnded ? 'completed' : status,
    dumpDir,
    graphCapture: value['graph_capture'] === true,
    ...self,
    kind,
    startedMs: startedMsFrom(value),
    fir,
    foreignProcess: foreignProcessFrom(additions?.['process'], pid),
  };
}

/** What fir added to a record of another recorder, which never says a process of fir's. */
export function foreignAdditionsIn(value: JsonObject): JsonObject | undefined {
  const fir = objectFrom(value['fir']);
  return typeof fir?.['recorder'] === 'string' ? fir : undefined;
}

/** Only a name that such a process can have: that of one of fir's would mix the two. */
function foreignProcessFrom(value: JsonValue | undefined, pid: number): string | undefined {
  const [, recorded] = FOREIGN_PROCESS.exec(stringFrom(value) ?? '') ?? [];
  return recorded === String(pid) ? stringFrom(value) : undefined;
}

const FOREIGN_PROCESS = /^pid(\d{1,10})(?:#[1-9]\d{0,8})?$/;

function isStatus(value: unknown): value is ExecutionStatus {
  return typeof value === 'string' && STATUSES.has(value);
}

type Self = Pick<RecordHead, 'selfId' | 'selfClass'>;

function firSelf(value: JsonObject): Self {
  return {
    selfId: idFrom(value['self_id']),
    selfClass: stringFrom(objectFrom(value['fir'])?.['self_class']),
  };
}

/** FlashInfer gives an id to few classes' objects; the text of the first argument holds it for all of them. */
function foreignSelf(value: JsonObject): Self {
  const first = objectFrom(objectFrom(value['input_metadata'])?.['arg_0']);
  const type = stringFrom(first?.['type']);
  const object = objectFromRepr(stringFrom(first?.['repr']) ?? '');
  const selfId = idFrom(value['self_id']) ?? (object?.className === type ? object?.selfId : undefined);
  return { selfId, selfClass: selfId === undefined ? undefined : type };
}

function idFrom(value: JsonValue | undefined): number | bigint | undefined {
  return typeof value === 'bigint' ? value : numberFrom(value);
}

/** FlashInfer says no kind: a constructor is known by its name, a method by its dot or its object. */
function kindFrom(value: JsonObject, functionName: string, isObjects: boolean): MemberKind {
  const kind = objectFrom(value['fir'])?.['kind'];
  if (typeof kind === 'string' && KINDS.has(kind)) return kind as MemberKind;
  if (functionName === '__init__' || functionName.endsWith('.__init__')) return 'constructor';
  return isObjects || functionName.includes('.') ? 'method' : 'function';
}

function firHeadFrom(value: JsonObject): FirHead | undefined | string {
  if (value['fir'] === undefined) return undefined;
  const fir = objectFrom(value['fir']);
  if (fir === undefined) return 'not a record: fir is no object';
  const processUid = stringFrom(fir['process_uid']);
  const sequence = smallCountFrom(fir['sequence']);
  if (processUid === undefined || processUid === '') return 'not a record: no fir.process_uid';
  if (sequence === undefined) return 'not a record: fir.sequence is no count';
  const parent = fir['parent'];
  return {
    processUid,
    sequence,
    parent: parent === null ? null : (smallCountFrom(parent) ?? 'unknown'),
    constructs: fir['constructs'] === true,
  };
}

const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(\d{3})$/;

function startedMsFrom(value: JsonObject): number {
  const startedAt = stringFrom(objectFrom(value['fir'])?.['started_at']);
  return Date.parse(startedAt ?? isoFromTimestamp(stringFrom(value['timestamp'])) ?? '');
}

/** `2026-11-24T14:32:17.012` of `20261124_143217_012`, the recorder's local time; undefined for anything else. */
export function isoFromTimestamp(timestamp: string | undefined): string | undefined {
  const match = timestamp === undefined ? null : TIMESTAMP.exec(timestamp);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, millisecond] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}`;
}
