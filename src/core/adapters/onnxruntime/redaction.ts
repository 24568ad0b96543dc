import type { AdapterRedaction } from '../contract.js';
import { CREATE_NAME, RUN_NAME } from './invoke.js';
import { MODEL_TYPE } from './model-file.js';

/** Words of options and tensors. Source: onnxruntime-common, inference-session.d.ts and tensor.d.ts. */
const WORDS = new Set([
  ...[
    'cpu',
    'cuda',
    'dml',
    'coreml',
    'wasm',
    'webgpu',
    'webgl',
    'xnnpack',
    'nnapi',
    'webnn',
    'qnn',
    'tensorrt',
  ],
  ...['all', 'basic', 'extended', 'layout', 'disabled', 'sequential', 'parallel'],
  ...['gpu', 'npu', 'default', 'low-power', 'high-performance'],
  ...[
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
  ],
  ...['bool', 'string', 'uint4', 'int4'],
  ...['NHWC', 'NCHW', 'cpu-pinned', 'texture', 'gpu-buffer', 'ml-tensor'],
]);
/** The outputs that a run is asked for, by their names in the model. */
const FETCHED = /^arg_1__\d+$/;
const URL_LIKE = /^[a-z][a-z0-9+.-]+:/i;

/** Input and output names are keys of dicts, and stay as such. */
export const redaction: AdapterRedaction = {
  keepsText: (functionName, place, text) =>
    WORDS.has(text) || (functionName === RUN_NAME && FETCHED.test(place)),
  isModel: (functionName) => functionName === CREATE_NAME,
  relativePaths: (node, relativePath) => {
    if (node['type'] !== MODEL_TYPE) return undefined;
    const { path, resolved } = node;
    if (typeof path !== 'string' || typeof resolved !== 'string') return undefined;
    // An address may hold a key, and its model can't be read again.
    if (URL_LIKE.test(path)) return { ...node, path: 'redacted:', resolved: 'redacted:' };
    const relative = relativePath(resolved);
    return { ...node, path: relative, resolved: relative };
  },
};
