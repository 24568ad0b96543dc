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
import { type Dump, openSession } from '../session/index.js';
import { ValueDecoder } from '../values/index.js';
import { type CallEnd, describeThrown, invoke, outcomeOfFailure } from './call-end.js';
import { compareCall } from './compare-call.js';
import { describeTensor, makeHost } from './hosts.js';
import { judge } from './judge.js';
import { ObjectTable } from './object-table.js';
import { differingOutputs, keepOutputs, type RunOutput } from './outputs.js';
import type { NamedObject, RunOutcome, RunPhase, RunRequest } from './protocol.js';
import { decodeArguments, recordedResult } from './recorded-values.js';
import { RehydratedInputs } from './rehydrate.js';
import { findReturnedObjects } from './returned-objects.js';

export interface CallRunnerOptions {
  consent: ConsentOptions;
  comparison: ComparisonOptions;
  mapPath: readonly (readonly [string, string])[];
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
  readonly #table = new ObjectTable();
  /** What the last checked call gave, while it may be repeated. */
  #firstRun: ReadonlyMap<string, RunOutput> = new Map();

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

  drop(scope: number, keys?: readonly string[]): Promise<void> {
    return this.#table.drop(scope, keys);
  }

  async #load(request: RunRequest, dump: Dump): Promise<LoadedCall> {
    const { consent } = this.#options;
    const { record } = dump;
    const answer = askConsent(record.function_name, request.resolution, consent);
    if ('refused' in answer) throw new FirError('NOT_ALLOWED', answer.refused);
    const { place } = answer;
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
      this.#table.storagesOf(request.scope),
      (stored, tensor, strings) => makeHost(makers, stored, tensor, strings, notes),
    );
    const decoder = new ValueDecoder({
      tensor: (key) => inputs.host(key),
      object: (ref) => this.#objectOf(request, String(ref.self_id), ref.class),
      custom: (node: JsonObject) => prepared.decodeCustom?.(node),
    });
    const args = decodeArguments(dump, decoder);
    notes.push(...inputs.notes);
    return { dump, prepared, inputs, args, notes };
  }

  async #runLoaded(request: RunRequest, call: LoadedCall): Promise<RunOutcome> {
    const { dump, prepared, args, notes } = call;
    const { record } = dump;
    const self = request.self === undefined ? undefined : this.#live(request, request.self);
    this.#options.onPhase(request.id, 'invoke');
    const startedAt = process.hrtime.bigint();
    const recordedAsync = record.fir?.async === true;
    const { end, isAsync } = await invoke(() => prepared.invoke(self, [...args], notes), recordedAsync);
    const durationUs = Number((process.hrtime.bigint() - startedAt) / 1000n);
    this.#options.onPhase(request.id, 'judge');
    // An executor's own refusal is no failure of the called code.
    if (end.kind === 'threw' && end.error instanceof FirError) throw end.error;
    if (end.kind === 'returned') this.#bindMade(request, call, end.value);
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
    const compared = compareCall(dump, end, {
      args,
      inputs,
      makesObject,
      comparison: this.#options.comparison,
      describe: describeTensor,
      nameOf: (object) => this.#table.nameOf(request.scope, object),
      isNew: (object) => {
        const key = this.#table.nameOf(request.scope, object)?.key;
        return request.makes.some((made) => made.key === key);
      },
    });
    notes.push(...compared.notes);
    const judgement = judge({
      record: dump.record,
      ending: end.kind === 'threw' ? { kind: 'threw', ...describeThrown(end.error) } : end,
      comparisons: compared.comparisons,
      ignored: compared.ignored,
      result: recordedResult(dump),
      isStateBuilding: request.self !== undefined || request.makes.length > 0,
      makesObject,
      hasTensorArguments: inputs.keys().length > 0,
    });
    const differing =
      request.purpose === 'repeat' ? differingOutputs(compared.outputs, this.#firstRun) : undefined;
    if (request.purpose === 'check') {
      const isKept = request.keepResults || judgement.verdict === 'mismatch';
      this.#firstRun = isKept ? keepOutputs(compared.outputs) : new Map();
    }
    return {
      ...judgement,
      outputs: compared.comparisons,
      ...(differing === undefined ? {} : { differing }),
      ...common,
    };
  }

  /** Gives the objects that the call made their names: the result itself, or those that stand in it. */
  #bindMade(request: RunRequest, { dump, prepared }: LoadedCall, value: unknown): void {
    if (request.makes.length === 0) return;
    const returned = findReturnedObjects(recordedResult(dump), value);
    const { record } = dump;
    const isMaker =
      record.fir?.constructs === true || record.fir?.kind === 'constructor' || record.fir === undefined;
    for (const name of request.makes) {
      const found = returned.find(
        ({ selfId, className }) => selfId === name.selfId && className === name.className,
      );
      const isOwn = isMaker && String(record.self_id) === name.selfId;
      const object =
        found?.object ?? (isOwn && typeof value === 'object' && value !== null ? value : undefined);
      if (object === undefined) continue;
      this.#table.bind(
        request.scope,
        name,
        object,
        prepared.dispose === undefined ? undefined : (made) => prepared.dispose?.(made),
      );
    }
  }

  #objectOf(request: RunRequest, selfId: string, className: string): object {
    const name = request.uses.find((used) => used.selfId === selfId && used.className === className);
    if (name === undefined)
      throw new FirError('NOT_REPLAYABLE', `the ${className} ${selfId} of an argument is not known`);
    return this.#live(request, name);
  }

  #live(request: RunRequest, name: NamedObject): object {
    const object = this.#table.find(request.scope, name.key);
    if (object === undefined) {
      throw new FirError(
        'NOT_REPLAYABLE',
        `the call that makes ${name.className} ${name.selfId} gave no such object here`,
      );
    }
    return object;
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
