import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { decodeToFloat64 } from '../../src/core/dtype/index.js';
import type { CallRecord, FirFields } from '../../src/core/model/call.js';
import type { ProcessHeader } from '../../src/core/model/session.js';
import { openSession, type StoredTensor, type TensorGroupName } from '../../src/core/session/index.js';
import { nodeUnderTest, type ProcessResult, type RunOptions, repository, runFir } from '../support/fir.js';

export const programs = join(repository, 'test', 'fixtures', 'programs');

/** Path of a fixture program. */
export function program(name: string): string {
  return join(programs, name);
}

/** Runs a fixture program on the Node under test with `fir capture` around it. */
export function captureProgram(
  session: string,
  command: readonly string[],
  options: RunOptions & { flags?: readonly string[] } = {},
): Promise<ProcessResult> {
  const [name = '', ...args] = command;
  const flags = ['--dir', session, ...(options.flags ?? [])];
  return runFir(['capture', ...flags, '--', nodeUnderTest, program(name), ...args], options);
}

/** One recorded call with everything that its dump holds. */
export interface CapturedCall {
  name: string;
  status: string;
  processUid: string;
  record: CallRecord;
  fir: FirFields;
  /** Values by tensor key, as float64. */
  inputs: Record<string, number[]>;
  outputs: Record<string, number[]>;
  mutated: Record<string, number[]>;
  tensor(group: TensorGroupName, key: string): StoredTensor;
  path: string;
}

export interface CapturedSession {
  calls: CapturedCall[];
  /** Dumps without a record: of calls that were about to begin when the program was killed. */
  withoutRecord: number;
  processes: ProcessHeader[];
  unreadable: number;
}

/** Everything in a session, read to the last byte. */
export function readCaptured(directory: string): CapturedSession {
  const session = openSession(directory);
  const recorded = session.calls.filter((entry) => entry.status !== 'no_record');
  const calls = recorded.map((entry): CapturedCall => {
    const dump = session.openDump(entry);
    const { record } = dump;
    if (record.fir === undefined) throw new Error(`${entry.dump} has no fir fields`);
    const values = (group: TensorGroupName): Record<string, number[]> =>
      Object.fromEntries(
        dump.keys(group).flatMap((key) => {
          const tensor = dump.tensor(group, key);
          if (tensor.redacted === true || tensor.strings !== undefined) return [];
          if (record.fir?.tensors[key]?.data === undefined) return [];
          return [[key, Array.from(decodeToFloat64(tensor.dtype, tensor.logicalBytes()))]];
        }),
      );
    const call: CapturedCall = {
      name: entry.functionName,
      status: entry.status,
      processUid: entry.processUid,
      record,
      fir: record.fir,
      inputs: values('inputs'),
      outputs: values('outputs'),
      mutated: values('mutated'),
      tensor: (group, key) => dump.tensor(group, key),
      path: dump.path,
    };
    dump.close();
    return call;
  });
  return {
    calls,
    withoutRecord: session.calls.length - recorded.length,
    processes: [...session.processes.values()],
    unreadable: session.unreadableCount,
  };
}

/** The only call of that name. */
export function callNamed(session: CapturedSession, name: string): CapturedCall {
  const found = session.calls.filter((call) => call.name === name);
  const [call] = found;
  if (call === undefined || found.length > 1) throw new Error(`${found.length} calls are named ${name}`);
  return call;
}

/** Lines of the index as they are, blank ones included. */
export function indexLines(directory: string): string[] {
  return readFileSync(join(directory, 'session.jsonl'), 'utf8').split('\n').slice(0, -1);
}

/** stderr without what `fir` itself says. */
export function withoutFirLines(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('fir: '))
    .join('\n');
}

/** A directory that the tests of a suite share: to be called in the suite's own body. */
export function sharedDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fir-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Lays a small project down in a directory that is made; `fir-recorder` resolves in it. */
export function makeProject(directory: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(join(directory, 'node_modules'), { recursive: true });
  symlinkSync(repository, join(directory, 'node_modules', 'fir-recorder'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}
