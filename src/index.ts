import { createRequire } from 'node:module';
import type { RecordableClassOptions, RecordableOptions, RecorderApi } from './preload/recorder-api.js';

export { compareTensors } from './core/compare/index.js';
export { FirError } from './core/errors.js';
export type { DtypeName } from './core/model/dtype.js';
export type { TensorRole } from './core/model/tensor.js';
export type { CallResult, OutputComparison, ReplaySummary, Verdict } from './core/model/verdict.js';
export { replaySession as replay } from './core/replay/index.js';
export { openSession } from './core/session/index.js';
export { Storage, Tensor } from './core/tensor/index.js';
export type { RecordableClassOptions, RecordableOptions } from './preload/recorder-api.js';

const recorderKey = Symbol.for('fir.recorder/1');
const registerKey = Symbol.for('fir.register/1');

/** The recorder of this thread, or undefined where nothing is recorded (`FIR_LOGLEVEL` unset or 0). */
function loadRecorder(): RecorderApi | undefined {
  if (!(Number(process.env['FIR_LOGLEVEL'] ?? 0) > 0)) return undefined;
  const registry = globalThis as unknown as {
    [recorderKey]?: RecorderApi;
    [registerKey]?: () => RecorderApi;
  };
  try {
    const loaded = registry[recorderKey] ?? registry[registerKey]?.();
    if (loaded !== undefined) return loaded;
    createRequire(import.meta.url)('./preload/recorder.cjs');
  } catch {
    // Bundled into a program that no preload watches: it runs, unrecorded.
  }
  return registry[recorderKey];
}

interface Recordable {
  /**
   * A function that records its calls. Without `FIR_LOGLEVEL` the very same function comes back.
   * Generator functions are returned as they are.
   */
  <F>(fn: F, options?: RecordableOptions): F;
  /**
   * A class whose constructor, methods and static methods record. Methods are patched in place; use the returned
   * class for what constructs objects. Without `FIR_LOGLEVEL` the very same class comes back.
   */
  class<C>(Class: C, options?: RecordableClassOptions): C;
}

export const recordable: Recordable = Object.assign(
  <F>(fn: F, options?: RecordableOptions): F => loadRecorder()?.recordable(fn, options) ?? fn,
  {
    class: <C>(Class: C, options?: RecordableClassOptions): C =>
      loadRecorder()?.recordableClass(Class, options) ?? Class,
  },
);
