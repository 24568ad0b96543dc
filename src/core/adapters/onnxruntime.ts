import type { Adapter, AdapterRecorder, AdapterReplay, RecordedMember } from './contract.js';
import { CREATE_NAME, invokeCall, RELEASE_NAME, RUN_NAME } from './onnxruntime/invoke.js';
import { identifyModel, locateModel, MODEL_TYPE } from './onnxruntime/model-file.js';
import { describeOrtTensor, ORT_HOST, ortTensorFrom } from './onnxruntime/ort-tensor.js';
import { redaction } from './onnxruntime/redaction.js';

const CREATE: RecordedMember = {
  functionName: CREATE_NAME,
  kind: 'static',
  constructs: 'InferenceSession',
  roleOf: () => 'in',
  isBlob: () => true,
  encodeArgument: (index, value) =>
    index === 0 && typeof value === 'string' ? identifyModel(value) : undefined,
};
const RUN: RecordedMember = {
  functionName: RUN_NAME,
  kind: 'method',
  // Tensors among the fetches are where the runtime writes the results to.
  roleOf: (key) => (/^arg_1(_|$)/.test(key) ? 'out' : 'in'),
};
const RELEASE: RecordedMember = {
  functionName: RELEASE_NAME,
  kind: 'method',
  roleOf: () => 'in',
};

/** onnxruntime-node and onnxruntime-web: sessions and their CPU tensors. */
export const onnxruntime: Adapter = {
  name: 'onnxruntime',
  // Not onnxruntime-common, which these two get their classes from: it runs no session by itself.
  packages: ['onnxruntime-node', 'onnxruntime-web'],
  instrument,
  describeTensor: describeOrtTensor,
  stateRule: () => 'stateless',
  isStateless: (functionName) => functionName === RUN_NAME,
  redaction,
  openReplay: async (record, environment): Promise<AdapterReplay> => {
    const resolve = record.fir?.resolve;
    const packageName = resolve?.kind === 'adapter' ? resolve.package : 'onnxruntime-node';
    const { exports, version } = await environment.importPackage(packageName);
    return {
      version,
      tensorFromHost: (host, tensor, strings) =>
        host === ORT_HOST ? ortTensorFrom(exports, tensor, strings) : undefined,
      decodeCustom: (node) =>
        node['type'] === MODEL_TYPE
          ? { value: locateModel(node, (path) => environment.mapPath(path)) }
          : undefined,
      invoke: (call, self, args, notes) => invokeCall(exports, call, self, args, notes),
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
