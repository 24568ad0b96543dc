import { FirError } from '../errors.js';
import type { CallRecord } from '../model/call.js';
import { TensorFiles } from './tensor-files.js';
import type { CallEntry } from './types.js';

/** What can be told of a call whose tensor files are all that is left of it; undefined where none can be read. */
export function recordFromFiles(call: CallEntry, path: string, realRoot: string): CallRecord | undefined {
  const files = new TensorFiles(path, realRoot);
  try {
    const inputs = keysIn(files, 'inputs');
    const outputs = keysIn(files, 'outputs');
    if (inputs === undefined && outputs === undefined) return undefined;
    return {
      function_name: call.functionName,
      module: call.module,
      call_sequence: 0,
      timestamp: '',
      process_id: call.pid,
      input_metadata: {},
      output_metadata: {},
      tensor_info: { input_tensor_keys: inputs ?? [], output_tensor_keys: outputs ?? [] },
      tensor_details: {},
      tensor_format: 'torch',
      execution_status: 'inputs_saved',
      dump_dir: call.dump,
    };
  } finally {
    files.close();
  }
}

function keysIn(files: TensorFiles, group: 'inputs' | 'outputs'): string[] | undefined {
  try {
    const name = files.nameOf(group, 'torch');
    return files.has(name) ? [...files.open(name).keys] : undefined;
  } catch (error) {
    if (error instanceof FirError) return [];
    throw error;
  }
}
