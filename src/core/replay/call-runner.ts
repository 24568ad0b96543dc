import type { ComparisonOptions } from '../compare/index.js';
import { FirError, messageOf } from '../errors.js';
import {
  askConsent,
  type ConsentOptions,
  EXECUTORS,
  openLibrariesOf,
  type PreparedCall,
} from '../executors/index.js';
import type { JsonObject } from '../model/json.js';
import { type Dump, isRedactedCall, openSession } from '../session/index.js';
import { ValueDecoder } from '../values/index.js';
import { type CallEnd, describeThrown, invoke, outcomeOfFailure } from './call-end.js';
import { compareCall } from './compare-call.js';
import { describeTensor, makeHost } from './hosts.js';
import { type Ending, judge } from './judge.js';
import { judgeRedacted, redactionNotes } from './judge-redacted.js';
import { LiveState } from './live-state.js';
import type { RunOutcome, RunPhase, RunRequest } from './protocol.js';
import { decodeArguments, recordedResult } from './recorded-values.js';
import { RehydratedInputs } from './rehydrate.js';
import { differingOutputs, keepOutputs, keptOutputs } from './run-outputs.js';

export interface CallRunnerOptions {
  consent: ConsentOptions;
  comparison: ComparisonOptions;
  mapPath: readonly (readonly [string, string])[];
  /** Of the inputs that are made up where recorded values were redacted. */
  seed: number;
  onPhase(id: number, phase: RunPhase): void;
}

/** A call with its code and its tensors in place. */
interface LoadedCall {
  dump: Dump;
  prepared: PreparedCall;
  inputs: RehydratedInputs;
  args: unknown[];
  notes: string[];
}

/** Runs calls in this process: code, tensors, the call itself, the comparison. Holds the objects that live from call to call. */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #live = new LiveState();

  constructor(options: CallRunnerOptions) {
    this.#options = options;
  }

  async run(request: RunRequest): Promise<RunOutcome> {
    let dump: Dump | undefined;
    try {
      dump = openDump(request.dump);
      const call = await this.#load(request, dump);
      return await this.#runLoaded(request, call);
    } catch (error) {
      return outcomeOfFailure(error);
    } finally {
      dump?.close();
    }
  }

  drop(keys: readonly string[]): Promise<void> {
    return this.#live.objects.drop(keys);
  }

  async #load(request: RunRequest, dump: Dump): Promise<LoadedCall> {
    const { consent } = this.#options;
    const { record } = dump;
    const answer = askConsent(record.function_name, request.resolution, consent);
    if ('refused' in answer) throw new FirError('NOT_ALLOWED', answer.refused);
    const { place } = answer;
    if (place.kind === 'python') throw new FirError('NOT_REPLAYABLE', 'Python is needed to run it');
    const executor = EXECUTORS.find((candidate) => candidate.handles(place));
    if (executor === undefined) throw new FirError('NOT_REPLAYABLE', `no executor runs a ${place.kind}`);
    const task = {
      record,
      place,
      allow: consent.allow,
      base: consent.app ?? consent.cwd,
      mapPath: (path: string) => this.#mapPath(path),
    };
    const prepared = await loadCode(() => executor.prepare(task));
    const hosts = dump.keys('inputs').map((key) => dump.tensor('inputs', key).host ?? '');
    const makers = place.kind === 'adapter' ? [prepared] : await openLibrariesOf(hosts, task);
    const notes: string[] = [];
    const inputs = new RehydratedInputs(
      dump,
      this.#live.storages,
      (stored, tensor, strings) => makeHost(makers, stored, tensor, strings, notes),
      { seed: this.#options.seed },
    );
    const decoder = new ValueDecoder({
      tensor: (key) => inputs.host(key),
      object: (ref) => this.#live.objectOf(request.uses, String(ref.self_id), ref.class),
      custom: (node: JsonObject) => prepared.decodeCustom?.(node),
    });
    const args = decodeArguments(dump, decoder);
    notes.push(...inputs.notes);
    return { dump, prepared, inputs, args, notes };
  }

  async #runLoaded(request: RunRequest, call: LoadedCall): Promise<RunOutcome> {
    const { dump, prepared, args, notes } = call;
    const { record } = dump;
    const self = request.self === undefined ? undefined : this.#live.find(request.self);
    this.#options.onPhase(request.id, 'invoke');
    const startedAt = process.hrtime.bigint();
    const recordedAsync = record.fir?.async === true;
    const { end, isAsync } = await invoke(() => prepared.invoke(self, [...args], notes), recordedAsync);
    const durationUs = Number((process.hrtime.bigint() - startedAt) / 1000n);
    this.#options.onPhase(request.id, 'judge');
    // An executor's own refusal is no failure of the called code.
    if (end.kind === 'threw' && end.error instanceof FirError) throw end.error;
    if (end.kind === 'returned') {
      this.#live.bindMade(request.makes, dump, prepared, end.value);
      if (request.uses.length > 0) this.#live.keepReturnedMemory(dump, end.value);
    }
    if (end.kind === 'returned' && record.fir !== undefined && isAsync !== recordedAsync) {
      notes.push(
        isAsync
          ? 'the replay was asynchronous, the recording was not'
          : 'the recording was asynchronous, the replay was not',
      );
    }
    const common = {
      durationUs,
      notes,
      onceNotes: [...prepared.notes],
      ...(end.kind === 'threw' ? { error: describeThrown(end.error) } : {}),
    };
    if (request.purpose === 'state') {
      const ranAsRecorded = (end.kind === 'threw') === (record.execution_status === 'failed');
      return { verdict: ranAsRecorded ? 'ran' : 'error', outputs: [], ranAsRecorded, ...common };
    }
    return this.#judge(request, call, end, common);
  }

  #judge(
    request: RunRequest,
    { dump, inputs, args, notes }: LoadedCall,
    end: CallEnd,
    common: Pick<RunOutcome, 'notes' | 'onceNotes'>,
  ): RunOutcome {
    const { constructs, kind } = dump.record.fir ?? {};
    const makesObject = constructs === true || kind === 'constructor';
    if (isRedactedCall(dump.record)) {
      const judged = judgeRedacted({ record: dump.record, ending: endingOf(end), makesObject });
      if (judged.verdict === 'error') notes.push(...redactionNotes(dump.record));
      return { ...judged, outputs: [], ...common };
    }
    const compared = compareCall(dump, end, {
      args,
      inputs,
      makesObject,
      comparison: this.#options.comparison,
      describe: describeTensor,
      nameOf: (object) => this.#live.objects.nameOf(object),
      isNew: (object) => {
        const key = this.#live.objects.nameOf(object)?.key;
        return request.makes.some((made) => made.key === key);
      },
    });
    notes.push(...compared.notes);
    const judgement = judge({
      record: dump.record,
      ending: endingOf(end),
      comparisons: compared.comparisons,
      ignored: compared.ignored,
      result: recordedResult(dump),
      isStateBuilding: request.self !== undefined || request.makes.length > 0,
      makesObject,
      hasTensorArguments: inputs.keys().length > 0,
      areInputsCertain: true,
    });
    const isKept = request.keepResults || judgement.verdict === 'mismatch';
    if (request.purpose === 'check' && isKept) keepOutputs(request.firstRun, compared.outputs);
    const differing =
      request.purpose === 'repeat'
        ? differingOutputs(compared.outputs, keptOutputs(request.firstRun))
        : undefined;
    return {
      ...judgement,
      outputs: compared.comparisons,
      ...(differing === undefined ? {} : { differing }),
      ...common,
    };
  }

  #mapPath(path: string): string {
    for (const [from, to] of this.#options.mapPath) {
      if (path === from) return to;
      const beginning = from.endsWith('/') ? from : `${from}/`;
      if (path.startsWith(beginning)) return `${to.replace(/\/$/, '')}/${path.slice(beginning.length)}`;
    }
    return path;
  }
}

function endingOf(end: CallEnd): Ending {
  return end.kind === 'threw' ? { kind: 'threw', ...describeThrown(end.error) } : { kind: 'returned' };
}

/** The dump is opened by itself: a worker never reads the index of a long session. */
function openDump(path: string): Dump {
  const session = openSession(path);
  const [call] = session.calls;
  if (call === undefined)
    throw new FirError('UNREADABLE_RECORD', 'the dump has no readable record', { where: path });
  return session.openDump(call);
}

/** What the code itself throws while it loads is told as such. */
async function loadCode(load: () => Promise<PreparedCall>): Promise<PreparedCall> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof FirError) throw error;
    throw new FirError('MODULE_NOT_FOUND', `its code could not be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
