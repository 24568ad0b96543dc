import { isProxy } from 'node:util/types';
import { FirError } from '../errors.js';
import type { DtypeName } from '../model/dtype.js';

import type { TensorSource } from '../model/tensor.js';
import { contiguousStride, type Tensor } from '../tensor/index.js';
import { describeHostTensor, hostFromTensor } from '../values/index.js';
import type { Adapter, AdapterRecorder, AdapterReplay, RecordedMember } from './contract.js';
import { identifyModel, locateModel, MODEL_TYPE } from './onnxruntime/model-file.js';
import { allowedSessionOptions } from './onnxruntime/session-options.js';

const HOST = 'onnxruntime.Tensor';

/** ORT's own type names are our dtypes, all but none. Source: onnxruntime-common, tensor.d.ts. */
const DTYPES = new Set<string>([
  'float32',
  'float64',
  'float16',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'bool',
  'string',
  'uint4',
  'int4',
]);

const CREATE: RecordedMember = {
  functionName: 'InferenceSession.create',
  kind: 'static',
  constructs: 'InferenceSession',
  roleOf: () => 'in',
  isBlob: () => true,
  encodeArgument: (index, value) =>
    index === 0 && typeof value === 'string' ? identifyModel(value) : undefined,
};
const RUN: RecordedMember = {
  functionName: 'InferenceSession.run',
  kind: 'method',
  // A fetch may be a tensor of the program's that the result is written to.
  roleOf: (key) => (key.startsWith('arg_1') ? 'inout' : 'in'),
};
const RELEASE: RecordedMember = {
  functionName: 'InferenceSession.release',
  kind: 'method',
  roleOf: () => 'in',
};

/** onnxruntime-node and onnxruntime-web: sessions and their CPU tensors. */
export const onnxruntime: Adapter = {
  name: 'onnxruntime',
  packages: ['onnxruntime-node', 'onnxruntime-web', 'onnxruntime-common'],
  instrument,
  describeTensor,
  stateRule: () => 'stateless',
  isStateless: (functionName) => functionName === 'InferenceSession.run',
  openReplay: async (record, environment): Promise<AdapterReplay> => {
    const resolve = record.fir?.resolve;
    const packageName = resolve?.kind === 'adapter' ? resolve.package : 'onnxruntime-node';
    // Both copies of the class come from the runtime: a session made by onnxruntime-common alone has no backend.
    const runtime = packageName === 'onnxruntime-web' ? packageName : 'onnxruntime-node';
    const { exports, version } = await environment.importPackage(runtime);
    return {
      version,
      tensorFromHost: (host, tensor, strings) =>
        host === HOST ? ortTensor(exports, tensor, strings) : undefined,
      decodeCustom: (node) =>
        node['type'] === MODEL_TYPE
          ? { value: locateModel(node, (path) => environment.mapPath(path)) }
          : undefined,
      invoke: (call, self, args, notes) => invoke(exports, call.function_name, self, args, notes),
      dispose: async (object) => {
        const { release } = object as { release?: () => Promise<void> };
        // A second release throws; the recorded program may have released it already.
        await release?.call(object).catch(() => undefined);
      },
    };
  },
};

function instrument(
  packageName: string,
  exports: Record<string, unknown>,
  recorder: AdapterRecorder,
  version?: string,
): void {
  const Session = exports['InferenceSession'];
  if (typeof Session !== 'function') return;
  const origin = { adapter: 'onnxruntime', package: packageName, version };
  recorder.wrapMember(Session, 'create', CREATE, origin);
  recorder.wrapMember(Session.prototype as object, 'run', RUN, origin);
  recorder.wrapMember(Session.prototype as object, 'release', RELEASE, origin);
}

/** A tensor of any copy of onnxruntime-common, known by its shape: programs bring their own copies. */
function describeTensor(value: object): TensorSource | undefined {
  if (isProxy(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || prototype === Array.prototype) return undefined;
  const dims = ownValue(value, 'dims');
  const type = ownValue(value, 'type');
  const data = ownValue(value, 'cpuData');
  if (!Array.isArray(dims) || typeof type !== 'string' || !DTYPES.has(type)) return undefined;
  if (data === null || typeof data !== 'object') return undefined;
  const shape = dims.map(Number);
  const stride = contiguousStride(shape);
  if (type === 'string') {
    if (!Array.isArray(data)) return undefined;
    return {
      dtype: 'string',
      shape,
      stride,
      storage: data,
      storageBytes: 0,
      byteOffset: 0,
      bytes: new Uint8Array(),
      contiguous: true,
      device: 'cpu',
      host: HOST,
      strings: data.map(String),
    };
  }
  const source = describeHostTensor(data);
  return source === undefined
    ? undefined
    : { ...source, dtype: type as DtypeName, shape, stride, host: HOST };
}

function ownValue(value: object, property: string): unknown {
  return Object.getOwnPropertyDescriptor(value, property)?.value;
}

type OrtTensorClass = new (type: string, data: unknown, dims: readonly number[]) => object;

function ortTensor(
  exports: Record<string, unknown>,
  tensor: Tensor,
  strings: readonly string[] | undefined,
): object {
  const OrtTensor = exports['Tensor'] as OrtTensorClass;
  if (strings !== undefined) return new OrtTensor('string', [...strings], tensor.shape);
  const data = hostFromTensor(ARRAYS[tensor.dtype], tensor);
  try {
    return new OrtTensor(tensor.dtype, data, tensor.shape);
  } catch (error) {
    throw new FirError(
      'NOT_REPLAYABLE',
      `onnxruntime here can't take a ${tensor.dtype} tensor: ${String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The typed array that onnxruntime-common wants for a type; float16 depends on the Node version. */
const ARRAYS: Partial<Record<DtypeName, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  float16: 'Float16Array' in globalThis ? 'Float16Array' : 'Uint16Array',
  uint8: 'Uint8Array',
  int8: 'Int8Array',
  uint16: 'Uint16Array',
  int16: 'Int16Array',
  uint32: 'Uint32Array',
  int32: 'Int32Array',
  uint64: 'BigUint64Array',
  int64: 'BigInt64Array',
  bool: 'Uint8Array',
  uint4: 'Uint8Array',
  int4: 'Int8Array',
};

type OrtSession = Record<string, (...args: unknown[]) => unknown>;

function invoke(
  exports: Record<string, unknown>,
  functionName: string,
  self: object | undefined,
  args: unknown[],
  notes: string[],
): unknown {
  if (functionName === CREATE.functionName) {
    const Session = exports['InferenceSession'] as { create(...args: unknown[]): unknown };
    const passed = args.map((value) => (isPlainObject(value) ? allowedSessionOptions(value, notes) : value));
    return Session.create(...passed);
  }
  const method = functionName.slice('InferenceSession.'.length);
  if (self === undefined || (method !== 'run' && method !== 'release')) {
    throw new FirError('NOT_REPLAYABLE', `${functionName} is not a call that the onnxruntime adapter runs`);
  }
  return (self as OrtSession)[method]?.(...args);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
