// A small language of recorded calls, run through the recorder as a program would.
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { RecordedFunction } from '../../../src/preload/recorded-function.js';
import type { Recorder } from '../../../src/preload/recorder-core.js';

/** One recorded call; what is meant by an index is taken modulo what there is. */
export interface ProgramCall {
  kind: 'new' | 'method' | 'function' | 'factory';
  /** Stateless objects need their constructor alone. */
  isStateless: boolean;
  object: number;
  /** Objects among the arguments. */
  objects: readonly number[];
  /** Shared buffers among the arguments, and the one that the call writes to. */
  buffers: readonly number[];
  writes: boolean;
  fails: boolean;
  /** It returns a promise, which settles after so many further steps of the program. */
  pendingFor: number;
  /** Plain bytes, so that calls differ in size. */
  bytes: number;
  inner: readonly ProgramCall[];
}

const index = fc.nat({ max: 5 });

/** Programs of up to `maxLength` calls, nested up to three deep. */
export function programs(maxLength: number): fc.Arbitrary<ProgramCall[]> {
  const { call } = fc.letrec<{ call: ProgramCall }>((tie) => ({
    call: fc.record({
      kind: fc.constantFrom('new', 'method', 'method', 'method', 'function', 'function', 'factory'),
      isStateless: fc.boolean(),
      object: index,
      objects: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(index, { maxLength: 2 })),
      buffers: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(index, { maxLength: 2 })),
      writes: fc.boolean(),
      fails: fc.nat({ max: 9 }).map((chance) => chance === 0),
      pendingFor: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 6 })),
      bytes: fc.constantFrom(0, 0, 64, 4096),
      inner: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 4, arbitrary: fc.constant([]) },
        fc.array(tie('call'), { maxLength: 3 }),
      ),
    }),
  }));
  return fc.array(call, { minLength: 1, maxLength, size: 'max' });
}

class Thing {
  state = 0;
}

const ADAPTER = { kind: 'adapter', adapter: 'onnxruntime', package: 'p' } as const;
const MODULE = { kind: 'module', root: '/app', module: 'app.mjs', export: 'Thing' } as const;

/** Runs programs on one recorder. Each call has a number, its first argument, by which it is known in any session. */
export class ProgramRun {
  readonly #recorder: Recorder;
  readonly #afterStep: () => void;
  readonly #things: { thing: Thing; isStateless: boolean }[] = [];
  readonly #buffers = Array.from({ length: 6 }, () => new Float32Array(4));
  readonly #settlers: { at: number; settle: () => void }[] = [];
  #calls = 0;
  #step = 0;

  constructor(recorder: Recorder, afterStep: () => void = () => undefined) {
    this.#recorder = recorder;
    this.#afterStep = afterStep;
  }

  async run(program: readonly ProgramCall[]): Promise<void> {
    for (const call of program) {
      this.#call(call);
      this.#step += 1;
      await this.#settle(this.#step);
      this.#afterStep();
    }
    await this.#settle(Number.POSITIVE_INFINITY);
    this.#afterStep();
  }

  async #settle(now: number): Promise<void> {
    for (const due of this.#settlers.filter(({ at }) => at <= now)) {
      this.#settlers.splice(this.#settlers.indexOf(due), 1);
      due.settle();
      await setImmediate();
    }
  }

  #call(call: ProgramCall): void {
    this.#calls += 1;
    const known = this.#things[call.object % Math.max(1, this.#things.length)];
    const isStateless = call.kind === 'method' ? known?.isStateless === true : call.isStateless;
    const fn = functionOf(
      call.kind === 'method' && known === undefined ? 'function' : call.kind,
      isStateless,
    );
    const self = fn.kind === 'method' ? known?.thing : undefined;
    const things = call.objects.map((at) => this.#things[at % Math.max(1, this.#things.length)]?.thing);
    const buffers = call.buffers.map((at) => this.#buffers[at]);
    const args = [this.#calls, ...things, ...buffers, new Uint8Array(call.bytes)];
    const made: Thing | undefined = fn.makes === undefined ? undefined : new Thing();
    const work = (): unknown => {
      for (const inner of call.inner) this.#call(inner);
      const [first] = buffers;
      if (call.writes && first !== undefined) first[0] = (first[0] ?? 0) + 1;
      const end = (): unknown => {
        if (call.fails) throw new Error('as the program has it');
        if (made !== undefined) this.#things.push({ thing: made, isStateless });
        return made ?? 1;
      };
      if (call.pendingFor === 0 || call.kind === 'new') return end();
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          try {
            resolve(end());
          } catch (error) {
            reject(error);
          }
        };
        this.#settlers.push({ at: this.#step + call.pendingFor, settle });
      });
    };
    try {
      const result = this.#recorder.run(fn, self, args, work);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // The program goes on.
    }
  }
}

const FUNCTIONS = new Map<string, RecordedFunction>();

function functionOf(kind: ProgramCall['kind'], isStateless: boolean): RecordedFunction {
  const key = `${kind} ${isStateless}`;
  const known = FUNCTIONS.get(key);
  if (known !== undefined) return known;
  const fn = describeFunction(kind, isStateless);
  FUNCTIONS.set(key, fn);
  return fn;
}

function describeFunction(kind: ProgramCall['kind'], isStateless: boolean): RecordedFunction {
  const className = isStateless ? 'Free' : 'Full';
  const name = {
    new: `${className}.__init__`,
    method: `${className}.use`,
    function: 'work',
    factory: 'make',
  }[kind];
  const makes = (object: object): string | undefined => (object instanceof Thing ? className : undefined);
  return {
    name: kind === 'factory' ? `${className}.make` : name,
    module: 'app.mjs',
    signature: '()',
    resolve: { current: isStateless ? ADAPTER : MODULE },
    kind: kind === 'new' ? 'constructor' : kind === 'factory' ? 'static' : kind,
    ...(kind === 'new' ? { constructs: className, makes } : {}),
    ...(kind === 'factory' ? { makes } : {}),
  };
}
