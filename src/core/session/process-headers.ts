import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.js';
import { parseJson } from '../json/index.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { ProcessHeader } from '../model/session.js';
import { entriesOf } from './directory.js';
import { countFrom, fieldsFrom, numberFrom, objectFrom, stringFrom, stringsFrom } from './json-fields.js';
import { resolutionFrom } from './resolution-fields.js';
import { hasSessionDirectory, sizeOfSessionFile } from './safe-path.js';
import type { UnreadableList } from './unreadable-list.js';

const MAX_HEADER_BYTES = 4 * 1024 * 1024;
const MAX_HEADERS = 10_000;

/** The headers under `processes/`, by process. Those that can't be used are counted as unreadable. */
export function readProcessHeaders(
  root: string,
  realRoot: string,
  unreadable: UnreadableList,
): ReadonlyMap<string, ProcessHeader> {
  const headers = new Map<string, ProcessHeader>();
  const directory = join(root, 'processes');
  if (!hasSessionDirectory(realRoot, directory)) return headers;
  const names: string[] = [];
  for (const { name } of entriesOf(directory)) {
    if (name.endsWith('.json') && names.length < MAX_HEADERS) names.push(name);
  }
  for (const name of names.sort()) {
    const header = readHeader(realRoot, join(directory, name));
    if (typeof header === 'string') unreadable.add(`processes/${name}`, 0, header);
    else if (`${header.process_uid}.json` === name) headers.set(header.process_uid, header);
    else unreadable.add(`processes/${name}`, 0, 'its process_uid is not its name');
  }
  return headers;
}

function readHeader(realRoot: string, path: string): ProcessHeader | string {
  try {
    const size = sizeOfSessionFile(realRoot, path) ?? 0;
    if (size > MAX_HEADER_BYTES) return `longer than ${MAX_HEADER_BYTES} bytes`;
    return processHeaderFrom(objectFrom(parseJson(readFileSync(path, 'utf8'))));
  } catch (error) {
    return messageOf(error);
  }
}

/** Fields of another type than they should have are left empty: but for its process, nothing in a header is needed. */
export function processHeaderFrom(value: JsonObject | undefined): ProcessHeader | string {
  if (value?.['format'] !== 'fir.process/1') return 'not a process header of a known format';
  const processUid = stringFrom(value['process_uid']);
  if (processUid === undefined) return 'not a process header: no process_uid';
  const host = objectFrom(value['host']) ?? {};
  const dropped = objectFrom(value['dropped']) ?? {};
  const capture = stringFrom(value['capture']);
  const endedAt = stringFrom(value['ended_at']);
  const nodeOptions = stringFrom(value['node_options']);
  return {
    format: 'fir.process/1',
    process_uid: processUid,
    pid: numberFrom(value['pid']) ?? 0,
    thread_id: numberFrom(value['thread_id']) ?? 0,
    ...(capture === undefined ? {} : { capture }),
    started_at: stringFrom(value['started_at']) ?? '',
    ...(endedAt === undefined ? {} : { ended_at: endedAt }),
    host: {
      platform: stringFrom(host['platform']) ?? '',
      arch: stringFrom(host['arch']) ?? '',
      release: stringFrom(host['release']) ?? '',
      cpu: stringFrom(host['cpu']) ?? '',
      memoryBytes: numberFrom(host['memoryBytes']) ?? 0,
    },
    argv: stringsFrom(value['argv']) ?? [],
    execArgv: stringsFrom(value['execArgv']) ?? [],
    ...(nodeOptions === undefined ? {} : { node_options: nodeOptions }),
    cwd: stringFrom(value['cwd']) ?? '',
    env: fieldsFrom(value['env'], stringFrom),
    versions: fieldsFrom(value['versions'], stringFrom),
    gpus: listFrom(value['gpus'], objectFrom),
    hooked: stringsFrom(value['hooked']) ?? [],
    functions: fieldsFrom(value['functions'], resolutionFrom),
    dropped: {
      limit: countFrom(dropped['limit']) ?? 0,
      filter: countFrom(dropped['filter']) ?? 0,
      error: countFrom(dropped['error']) ?? 0,
      ...(dropped['rotated'] === undefined ? {} : { rotated: countFrom(dropped['rotated']) ?? 0 }),
      ...(dropped['functions'] === undefined
        ? {}
        : { functions: fieldsFrom(dropped['functions'], countFrom) }),
      ...(dropped['states'] === undefined ? {} : { states: fieldsFrom(dropped['states'], countFrom) }),
    },
    errors: listFrom(value['errors'], errorFrom),
  };
}

function errorFrom(value: JsonValue): { message: string; count: number } | undefined {
  const message = stringFrom(objectFrom(value)?.['message']);
  return message === undefined ? undefined : { message, count: countFrom(objectFrom(value)?.['count']) ?? 1 };
}

function listFrom<T>(value: JsonValue | undefined, convert: (entry: JsonValue) => T | undefined): T[] {
  if (!Array.isArray(value)) return [];
  return value.map(convert).filter((entry) => entry !== undefined);
}
