import type { TensorRole } from '../core/model/tensor.js';

/** How a function is to be recorded. */
export interface RecordableOptions {
  /** Recorded name, and the export that replay looks for; by default the function's own. */
  name?: string;
  /** The file that exports it, absolute; by default the caller's. */
  module?: string;
  /** Tensor key (`arg_0`) to what the function does with it: `in` is never compared after the call. */
  roles?: Readonly<Record<string, TensorRole>>;
}

export interface RecordableClassOptions extends RecordableOptions {
  /** Roles of the arguments of methods: method name, then tensor key. */
  methodRoles?: Readonly<Record<string, Readonly<Record<string, TensorRole>>>>;
}

/** What stands at `globalThis[Symbol.for('fir.recorder/1')]` in a recorded thread. */
export interface RecorderApi {
  recordable<F>(fn: F, options?: RecordableOptions): F;
  recordableClass<C>(Class: C, options?: RecordableClassOptions): C;
  instrumentPackage(packageName: string, exports: Record<string, unknown>, version: string | undefined): void;
  /** The recording stand-in for one export of a file that `--instrument` names. */
  instrumentExport(path: string, exportName: string, value: unknown): unknown;
  noteError(message: string): void;
}
