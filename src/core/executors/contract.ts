import type { CallRecord } from '../model/call.js';
import type { JsonObject } from '../model/json.js';
import type { Tensor } from '../tensor/index.js';

/** A candidate in place of a recorded function: `--target 'mm_fp8=./mine.js#mm'`, or `./mine.py#mm`. */
export interface ReplayTarget {
  /** Pattern over the function name; the name of a class stands for all its members. */
  function: string;
  /** Path of the candidate's module, from the working directory. */
  file: string;
  export: string;
}

/** What runs a call: a Node, or a Python. */
export type Language = 'javascript' | 'python';

/** Where the code of a call is loaded from, with the user's consent. */
export type CodePlace =
  | { kind: 'file'; path: string; export: string }
  | { kind: 'target'; path: string; export: string; isClass: boolean }
  | {
      kind: 'package';
      package: string;
      subpath: string | undefined;
      export: string;
      version: string | undefined;
    }
  | { kind: 'builtin'; name: string; export: string }
  | { kind: 'python'; module: string }
  | { kind: 'adapter'; adapter: string; package: string; version: string | undefined };

/** Code that a Node loads. */
export type JavaScriptPlace = Exclude<CodePlace, { kind: 'python' }>;

/** A call that is about to run. */
export interface ExecutorTask {
  record: CallRecord;
  place: JavaScriptPlace;
  /** Patterns of code beyond the application's own that may run. */
  allow: readonly string[];
  /** Where packages are looked up: --app, or the working directory. */
  base: string;
  /** Applies --map-path to a recorded path. */
  mapPath(path: string): string;
}

/** A call whose code is loaded. */
export interface PreparedCall {
  /** Said once for the whole replay: another version of the package. */
  readonly notes: readonly string[];
  /** A tensor in a class that only the library knows; undefined when it is not the library's. */
  tensorFromHost?(host: string, tensor: Tensor, strings: readonly string[] | undefined): unknown;
  /** A value of the library's own type; undefined when it is none. */
  decodeCustom?(node: JsonObject): { value: unknown } | undefined;
  /** Runs the call; what it returns may be a promise. `notes` collects what was left out of the arguments. */
  invoke(self: object | undefined, args: unknown[], notes: string[]): unknown;
  /** Frees what an object holds that the call made. */
  dispose?(object: object): Promise<void> | void;
}

/** A way to run a recorded call again. */
export interface Executor {
  readonly name: string;
  handles(place: JavaScriptPlace): boolean;
  /** Loads the code. FirError MODULE_NOT_FOUND, EXPORT_NOT_FOUND, NOT_ALLOWED; what the code throws passes through. */
  prepare(task: ExecutorTask): Promise<PreparedCall>;
}
