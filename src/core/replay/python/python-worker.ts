import { FirError } from '../../errors.js';
import { askConsent } from '../../executors/index.js';
import type { Dump } from '../../session/index.js';
import { outcomeOfFailure } from '../call-end.js';
import type { RunRequest } from '../protocol.js';
import type { GivenRun, ReplayWorker, RunEnd } from '../replay-worker.js';
import { type Answered, type CallOutput, type GivenCall, WorkerProcess } from '../worker-process.js';
import { type BuiltRequest, buildRequest } from './build-request.js';
import { encodeFrameHead, FrameReader } from './frames.js';
import { judgeAnswer } from './judge-answer.js';
import type { PythonAnswer, PythonOutcome, PythonReady, PythonRun, PythonSetup } from './protocol.js';
import type { PythonSite } from './python-site.js';
import { readAnswer } from './read-answer.js';
import { refusalOf } from './refusal.js';
import { timeLimitOf } from './time-limit.js';

/** Importing torch from a cold disk takes its time. */
const START_TIMEOUT_MS = 300_000;

const NO_OUTPUT: CallOutput = { stdout: undefined, stderr: undefined };

type RequestedRun = Omit<RunRequest, 'type' | 'id'>;

interface Answer {
  outcome: PythonOutcome;
  payload: Buffer;
}

/** A worker that runs Python calls. What they return is compared in this process. */
export class PythonWorker implements ReplayWorker {
  readonly #site: PythonSite;
  readonly process: WorkerProcess<Answer>;
  readonly canRunAhead = true;
  /** Functions that were called in this process. */
  readonly #called = new Set<string>();
  #onStarted: (answer: PythonAnswer) => void = () => undefined;

  private constructor(site: PythonSite) {
    this.#site = site;
    let reader: FrameReader | undefined;
    this.process = new WorkerProcess({
      command: site.interpreter,
      argsFor: (mark) => [site.worker, mark, String(process.pid)],
      cwd: site.cwd,
      env: site.env,
      onAnswer: (chunk) => this.#guard(() => reader?.push(chunk)),
    });
    reader = new FrameReader(this.process.mark, ({ json, payload }) => {
      this.#take(readAnswer(json), payload);
    });
  }

  /** FirError PYTHON_FAILED, DEVICE_MISSING. */
  static async start(site: PythonSite): Promise<{ worker: PythonWorker; ready: PythonReady }> {
    const worker = new PythonWorker(site);
    const started = new Promise<PythonAnswer>((resolve) => {
      worker.#onStarted = resolve;
    });
    const kill = () => worker.process.kill();
    site.signal?.addEventListener('abort', kill);
    if (site.signal?.aborted === true) kill();
    worker.#send({ type: 'setup', ...site.setup });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), START_TIMEOUT_MS);
    });
    const answer = await Promise.race([started, late, worker.process.exited.then(() => 'gone' as const)]);
    clearTimeout(timer);
    site.signal?.removeEventListener('abort', kill);
    if (typeof answer === 'object' && answer.type === 'ready') return { worker, ready: answer };
    const failure = worker.#startFailure(answer);
    worker.process.kill();
    throw failure;
  }

  give(request: RequestedRun, dump: Dump, timeoutMs: number | undefined): GivenRun {
    let given: { built: BuiltRequest; call: GivenCall<Answer> };
    try {
      given = this.#give(request, dump, timeoutMs);
    } catch (error) {
      dump.close();
      const outcome = outcomeOfFailure(error);
      return {
        end: async () => ({ kind: 'outcome', outcome }),
        output: async () => NO_OUTPUT,
        forget: () => undefined,
      };
    }
    const { built, call } = given;
    return {
      end: async () => {
        const end = await call.end;
        this.#site.files.remove(built.files);
        try {
          return this.#judge(request, dump, built, end);
        } catch (error) {
          return { kind: 'outcome', outcome: outcomeOfFailure(error) };
        } finally {
          dump.close();
        }
      },
      output: () => this.process.takeOutput(call.id),
      forget: () => {
        this.#site.files.remove(built.files);
        dump.close();
      },
    };
  }

  drop(keys: readonly string[]): void {
    this.#send({ type: 'drop', keys });
  }

  #give(
    request: RequestedRun,
    dump: Dump,
    timeoutMs: number | undefined,
  ): { built: BuiltRequest; call: GivenCall<Answer> } {
    const { files, devices, consent, seed } = this.#site;
    const { function_name: functionName } = dump.record;
    const answer = askConsent(functionName, request.resolution, consent);
    if ('refused' in answer) throw new FirError('NOT_ALLOWED', answer.refused);
    const built = buildRequest(request, dump, { files, devices, seed, place: answer.place });
    // Methods of several classes may go by one name.
    const code = JSON.stringify([dump.record.module, built.run.class, functionName]);
    const limit = timeLimitOf(timeoutMs, !this.#called.has(code));
    this.#called.add(code);
    return { built, call: this.process.give(limit, (id) => this.#sendRun(id, built)) };
  }

  #judge(request: RequestedRun, dump: Dump, built: BuiltRequest, end: Answered<Answer>): RunEnd {
    if (end.kind !== 'answer') return end;
    const { outcome, payload } = end.answer;
    try {
      if (outcome.fatal) return this.#endFor(outcome);
      if (outcome.end === 'refused') throw refusalOf(outcome.error);
      const judged = judgeAnswer(request, dump, { outcome, payload }, this.#site);
      const notes = [...built.notes, ...judged.notes];
      const onceNotes = [...this.#site.versionNotes(dump.record), ...built.onceNotes, ...judged.onceNotes];
      return { kind: 'outcome', outcome: { ...judged, notes, onceNotes } };
    } finally {
      this.#site.files.remove(outcome.tensors.flatMap(({ file }) => (file === undefined ? [] : [file])));
    }
  }

  /** After an illegal access every later CUDA call of the process fails, and would be blamed for it. */
  #endFor({ error }: PythonOutcome): RunEnd {
    this.process.kill();
    const { name, message } = error ?? { name: 'CUDA error', message: 'the context is lost' };
    return { kind: 'died', how: `${name}: ${message}`, phase: 'invoke', error: { name, message } };
  }

  #sendRun(id: number, { run, payload }: BuiltRequest): void {
    this.#send({ type: 'run', id, ...run }, payload);
  }

  #send(
    request: PythonSetup | PythonRun | { type: 'drop'; keys: readonly string[] },
    payload: readonly Buffer[] = [],
  ): void {
    const bytes = payload.reduce((sum, { length }) => sum + length, 0);
    this.process.send(encodeFrameHead(this.process.mark, JSON.stringify(request), bytes), ...payload);
  }

  #take(answer: PythonAnswer, payload: Buffer): void {
    if (answer.type === 'outcome') {
      if (answer.fatal) this.process.retire();
      this.process.answer(answer.id, { outcome: answer, payload });
    } else if (answer.type === 'phase') this.process.enter(answer.id, answer.phase);
    else this.#onStarted(answer);
  }

  /** What is no answer ends the worker: nothing after it could be believed. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FirError)) throw error;
      this.process.blame({ name: error.code, message: error.message });
      this.process.kill();
    }
  }

  #startFailure(answer: PythonAnswer | 'late' | 'gone'): FirError {
    const { interpreter } = this.#site;
    const { startError } = this.process;
    const hint = 'name the Python of the environment that the calls need with --python';
    if (typeof answer === 'object' && answer.type === 'failed') {
      if (answer.code === 'DEVICE_MISSING') return new FirError('DEVICE_MISSING', answer.message);
      return new FirError('PYTHON_FAILED', answer.message, { hint, where: interpreter });
    }
    if (startError !== undefined) {
      const isMissing = 'code' in startError && startError.code === 'ENOENT';
      const why = isMissing ? 'is not there' : `could not be started: ${startError.message}`;
      return new FirError('PYTHON_FAILED', `the Python interpreter ${interpreter} ${why}`, {
        hint,
        cause: startError,
      });
    }
    const last = this.process.takeLastWords()?.split('\n').at(-1) ?? 'it said nothing';
    const what = answer === 'late' ? 'was not ready in time' : 'ended while it started';
    return new FirError('PYTHON_FAILED', `${interpreter} ${what}: ${last}`, { hint });
  }
}
