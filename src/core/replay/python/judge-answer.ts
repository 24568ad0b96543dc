import type { ComparisonOptions } from '../../compare/index.js';
import { type Dump, isRedactedCall } from '../../session/index.js';
import { type Ending, judge } from '../judge.js';
import { judgeRedacted, redactionNotes } from '../judge-redacted.js';
import type { RunOutcome, RunRequest } from '../protocol.js';
import { differingOutputs, keepOutputs, keptOutputs } from '../run-outputs.js';
import { compareAnswer, expectedResult } from './compare-answer.js';
import type { DeviceMap } from './device-map.js';
import type { PythonOutcome } from './protocol.js';
import { resultSources } from './result-source.js';
import type { SharedFiles } from './shared-files.js';

export interface JudgeContext {
  comparison: ComparisonOptions;
  /** The inputs of calls in a CUDA graph are taken for what the call was given. */
  trustGraphInputs: boolean;
  files: SharedFiles;
  /** Where what was on a device of the recorded machine is here. */
  devices: DeviceMap;
}

/** The verdict on a Python call that ended. FirError WORKER_FAILED, TENSOR_*, TORCH_INVALID, SAFETENSORS_INVALID. */
export function judgeAnswer(
  request: Omit<RunRequest, 'type' | 'id'>,
  dump: Dump,
  { outcome, payload }: { outcome: PythonOutcome; payload: Buffer },
  context: JudgeContext,
): RunOutcome {
  const { record } = dump;
  const { error } = outcome;
  const common = {
    durationUs: outcome.durationUs,
    notes: [...outcome.notes],
    onceNotes: [...outcome.once],
    ...(error === undefined ? {} : { error: thrownOf(error) }),
  };
  const hasReturned = outcome.end === 'returned';
  if (request.purpose === 'state')
    return { verdict: hasReturned ? 'ran' : 'error', outputs: [], ranAsRecorded: hasReturned, ...common };
  const makesObject = request.kind === 'constructor';
  const ending: Ending = hasReturned ? { kind: 'returned' } : { kind: 'threw', ...thrownOf(error) };
  if (isRedactedCall(record)) {
    const judged = judgeRedacted({ record, ending, makesObject });
    if (judged.verdict === 'error') common.notes.push(...redactionNotes(record));
    return { ...judged, outputs: [], ...common };
  }
  const isCompared = hasReturned && !makesObject;
  const tensors = isCompared ? resultSources(outcome.tensors, payload, context.files) : new Map();
  const { comparisons, outputs, ignored } = compareAnswer(
    dump,
    isCompared ? { value: outcome.result, tensors } : undefined,
    context.comparison,
    context.devices,
  );
  const judgement = judge({
    record,
    ending,
    comparisons,
    ignored,
    result: expectedResult(dump),
    isStateBuilding: request.self !== undefined || request.makes.length > 0,
    makesObject,
    hasTensorArguments: dump.keys('inputs').length > 0,
    areInputsCertain: record.graph_capture !== true || context.trustGraphInputs,
  });
  const isKept = request.keepResults || judgement.verdict === 'mismatch';
  if (request.purpose === 'check' && isKept) keepOutputs(request.firstRun, outputs);
  const differing =
    request.purpose === 'repeat' ? differingOutputs(outputs, keptOutputs(request.firstRun)) : undefined;
  return {
    ...judgement,
    outputs: comparisons,
    ...(differing === undefined ? {} : { differing }),
    ...common,
  };
}

function thrownOf(error: PythonOutcome['error']): { name: string; message: string; stack?: string } {
  const { name = 'Error', message = '', stack } = error ?? {};
  return { name, message, ...(stack === undefined ? {} : { stack }) };
}
