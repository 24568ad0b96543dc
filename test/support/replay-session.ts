// Replays hand-made sessions over small modules, with a worker that is built from the sources.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { MemberKind } from '../../src/core/model/call.js';
import type { CallBegin, ReplayBegin } from '../../src/core/model/reporter.js';
import type { CallResult, ReplaySummary } from '../../src/core/model/verdict.js';
import { type ReplayOptions, replaySession } from '../../src/core/replay/index.js';
import { tensorOf, type WrittenCall, type WrittenTensor } from './session-writer.js';

const SOURCES = fileURLToPath(new URL('../../src/core/replay/worker.ts', import.meta.url));

/** The application of the fixtures. */
export const APP = fileURLToPath(new URL('../fixtures/replay/app', import.meta.url));

let built: Promise<string> | undefined;

/** The worker as the package has it: one file, no TypeScript. */
export function builtWorker(): Promise<string> {
  built ??= buildWorker();
  return built;
}

async function buildWorker(): Promise<string> {
  const outfile = join(temporaryFolder('worker'), 'worker.mjs');
  await build({
    entryPoints: [SOURCES],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
  });
  return outfile;
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `fir-${name}-`));
}

export interface Replayed {
  summary: ReplaySummary;
  results: CallResult[];
  begin: ReplayBegin;
  /** Call number and verdict of each result, in the order in which they were told. */
  verdicts: string[];
}

/** Replays a session and collects what the reporter is told. */
export async function replay(
  path: string,
  options: Partial<ReplayOptions> = {},
  onCallBegin: (call: CallBegin) => void = () => undefined,
): Promise<Replayed> {
  const results: CallResult[] = [];
  let begin: ReplayBegin | undefined;
  const summary = await replaySession(
    {
      path,
      app: APP,
      allow: [],
      device: 'cpu',
      failFast: false,
      jobs: 1,
      comparison: { preset: 'default', nan: 'equal', rules: [], ignore: [], as: [] },
      mapPath: [],
      nodeOptions: [],
      stateful: {},
      targets: [],
      allowIncomplete: false,
      debug: false,
      workerEntry: await builtWorker(),
      ...options,
      select: { include: [], exclude: [], pid: [], ...options.select },
    },
    {
      onBegin: (told) => {
        begin = told;
      },
      onCallBegin,
      onCallEnd: (result) => {
        results.push(result);
      },
    },
  );
  if (begin === undefined) throw new Error('the replay did not begin');
  return { summary, results, begin, verdicts: results.map(({ call, verdict }) => `${call} ${verdict}`) };
}

/** A Float32Array as the recorder writes it. */
export function floats(...values: number[]): WrittenTensor {
  return { ...tensorOf('float32', values), host: 'Float32Array' };
}

export interface ModuleCall extends Omit<WrittenCall, 'functionName'> {
  module?: string;
  export?: string;
}

/** A recorded call of an export of the fixtures' application: arguments in `inputs`, `outputs` as they came back. */
export function callOf(functionName: string, call: ModuleCall = {}): WrittenCall {
  const { module = 'ops.mjs', export: exportName, ...rest } = call;
  const className = functionName.includes('.')
    ? functionName.slice(0, functionName.lastIndexOf('.'))
    : undefined;
  return {
    functionName,
    module,
    ...rest,
    kind: call.kind ?? kindOf(functionName),
    fir: {
      mutated_tensor_keys: Object.keys(call.mutated ?? {}),
      resolve: {
        kind: 'module',
        root: '/recorded/app',
        module,
        export: exportName ?? className ?? functionName,
      },
      ...(className === undefined || call.selfId === undefined ? {} : { self_class: className }),
      ...(functionName.endsWith('.__init__') ? { constructs: true } : {}),
      ...call.fir,
    },
  };
}

/** What a call that returned nothing has as its output. */
export const UNDEFINED = { result: { type: 'js.undefined' } };

/** A recorded object as an argument or a result. */
export function objectRef(
  selfId: number,
  className: string,
): { type: string; self_id: number; class: string } {
  return { type: 'js.object_ref', self_id: selfId, class: className };
}

function kindOf(functionName: string): MemberKind {
  if (functionName.endsWith('.__init__')) return 'constructor';
  return functionName.includes('.') ? 'method' : 'function';
}
