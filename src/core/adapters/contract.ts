import type { CallRecord } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';
import type { Tensor } from '../tensor/index.js';

/** Which calls make an object's state: none beyond its constructor, every earlier one, or the last of some methods. */
export type StateRule = 'stateless' | 'full' | { latest: readonly string[] };

/** What an adapter wants recorded about one function of its library. */
export interface RecordedMember {
  /** `Class.method`, as `function_name` has it. */
  functionName: string;
  kind: 'constructor' | 'method' | 'static';
  /** The result is a new object of this class: a factory, recorded as its constructor. */
  constructs?: string;
  /** Roles of tensor keys that are known: an argument that the library only reads is never checked for change. */
  roleOf?(key: string): 'in' | 'out' | 'inout' | 'scratch' | 'unknown';
  /** Encodes an argument in the adapter's own way (a model path); undefined leaves it to the generic encoder. */
  encodeArgument?(index: number, value: unknown): JsonValue | undefined;
  /** Content of this argument is stored once per session under `blobs/`. */
  isBlob?(key: string): boolean;
}

/** The recorder as an adapter sees it. */
export interface AdapterRecorder {
  /** Replaces `owner[property]` in place with a recording wrapper; a member that is wrapped already is left alone. */
  wrapMember(owner: object, property: string, member: RecordedMember, origin: AdapterOrigin): void;
}

export interface AdapterOrigin {
  adapter: string;
  package: string;
  version: string | undefined;
}

/** The library as a replay loaded it. */
export interface AdapterReplay {
  readonly version: string | undefined;
  /** A tensor of the library's own class from the recorded host container's name; undefined when it is not ours. */
  tensorFromHost(host: string, tensor: Tensor, strings: readonly string[] | undefined): unknown;
  /** Decodes an encoded value of the adapter's own type (a model path), or undefined. Throws FirError. */
  decodeCustom(node: JsonObject): { value: unknown } | undefined;
  /** Runs the call. `notes` collects what was left out (an option that is not allowed). */
  invoke(record: CallRecord, self: object | undefined, args: unknown[], notes: string[]): unknown;
  /** Frees what an object of the library holds. */
  dispose?(object: object): Promise<void> | void;
}

export interface ReplayEnvironment {
  /** Imports a package by name from --app or the working directory. FirError MODULE_NOT_FOUND. */
  importPackage(name: string): Promise<{ exports: Record<string, unknown>; version: string | undefined }>;
  /** Applies --map-path to a recorded path. */
  mapPath(path: string): string;
}

/** What of a library's calls is no content, where values and texts are left out (--redact). */
export interface AdapterRedaction {
  /** Whether a text is a word of the library's own or a name in its model; `place` is the key that it stands under. */
  keepsText(functionName: string, place: string, text: string): boolean;
  /** Whether a tensor among the arguments is a model, or a part of one: it goes, but its sha256 stays. */
  isModel(functionName: string, key: string): boolean;
  /** A value of the adapter's own type with its paths made relative; undefined for any other. */
  relativePaths(node: JsonObject, relativePath: (path: string) => string): JsonObject | undefined;
}

/** Teaches fir about one library: what to wrap, what its tensors look like, how to run its calls again. */
export interface Adapter {
  readonly name: string;
  /** Packages whose loading triggers `instrument`. */
  readonly packages: readonly string[];
  instrument(
    packageName: string,
    exports: Record<string, unknown>,
    recorder: AdapterRecorder,
    version?: string,
  ): void;
  describeTensor(value: object): TensorSource | undefined;
  stateRule(className: string): StateRule;
  /** Methods that change nothing on the object, so that a repeat needs no rebuilt state. */
  isStateless(functionName: string): boolean;
  readonly redaction?: AdapterRedaction;
  openReplay(record: CallRecord, environment: ReplayEnvironment): Promise<AdapterReplay>;
}
