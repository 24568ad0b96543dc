// Lays down a session of many small calls as the recorder does: those of one model, and every hundredth one of an object
// of which nothing is known, so that its whole history counts. Arguments: a directory, and how many calls.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [directory, count] = process.argv.slice(2);
const UID = 'b'.repeat(16);
/** Larger than any process id. */
const PID = 5_000_000;
const START_MS = Date.UTC(2026, 10, 24, 14, 32, 17);
const ADAPTER = { kind: 'adapter', adapter: 'onnxruntime', package: 'onnxruntime-node', version: '1.30.0' };

const LAYOUT = { storageBytes: 64, offset: 0, stride: [1], shape: [16], dtype: 'float32', device: 'cpu' };
const DETAIL = { shape: [16], dtype: 'torch.float32', stride: [1], device: 'cpu' };

mkdirSync(join(directory, 'processes'), { recursive: true });
writeFileSync(join(directory, 'processes', `${UID}.json`), JSON.stringify(headerOf()));
const index = openSync(join(directory, 'session.jsonl'), 'a');
for (let call = 0; call < Number(count); call += 1) writeSync(index, writeCall(call));
closeSync(index);

function headerOf() {
  const time = new Date(START_MS).toISOString();
  const ended = { started_at: time, ended_at: time };
  return { format: 'fir.process/1', process_uid: UID, pid: PID, thread_id: 0, ...ended, functions: {} };
}

function functionOf(call) {
  if (call === 0) return { name: 'InferenceSession.create', kind: 'static', constructs: true };
  if (call === 1) return { name: 'Attention.__init__', kind: 'constructor' };
  return { name: call % 100 === 0 ? 'Attention.run' : 'InferenceSession.run', kind: 'method' };
}

function writeCall(call) {
  const { name, kind, constructs } = functionOf(call);
  const [className] = name.split('.');
  const started = new Date(START_MS + call);
  const stamp = started.toISOString().replace(/[-:]/g, '').replace(/[T.]/g, '_').slice(0, 19);
  const dump = `${stamp}_pid${PID}_${name}_call${String(call + 1).padStart(4, '0')}`;
  const tensors = {
    arg_0: { ...LAYOUT, storage: call * 2, data: { file: 'inputs.safetensors', key: 'arg_0' } },
    result: { ...LAYOUT, storage: call * 2 + 1, data: { file: 'outputs.safetensors', key: 'result' } },
  };
  const isModel = className === 'InferenceSession';
  const fir = {
    version: 1,
    process_uid: UID,
    sequence: call + 1,
    parent: null,
    started_at: started.toISOString(),
    kind,
    self_class: className,
    ...(constructs ? { constructs } : {}),
    ...(isModel ? { resolve: ADAPTER } : {}),
  };
  const record = {
    function_name: name,
    module: isModel ? 'onnxruntime-node' : 'kernels',
    call_sequence: call + 1,
    timestamp: stamp,
    process_id: PID,
    input_metadata: { arg_0: { type: 'torch.Tensor', ...DETAIL, tensor_key: 'arg_0' } },
    output_metadata: {},
    tensor_details: { arg_0: DETAIL },
    tensor_format: 'safetensors',
    versions: { fir: '0.1.0', node: process.versions.node },
    graph_capture: false,
    dump_dir: dump,
    self_id: isModel ? 1 : 2,
  };
  const lines = [
    {
      ...record,
      execution_status: 'inputs_saved',
      tensor_info: { input_tensor_keys: ['arg_0'], output_tensor_keys: [] },
      fir: { ...fir, tensors: { arg_0: tensors.arg_0 } },
    },
    {
      ...record,
      execution_status: 'completed',
      tensor_info: { input_tensor_keys: ['arg_0'], output_tensor_keys: ['result'] },
      fir: { ...fir, duration_us: 100, mutated_tensor_keys: [], tensors },
    },
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  mkdirSync(join(directory, dump));
  writeFileSync(join(directory, dump, 'metadata.jsonl'), text);
  writeFileSync(join(directory, dump, 'inputs.safetensors'), tensorFile('arg_0'));
  writeFileSync(join(directory, dump, 'outputs.safetensors'), tensorFile('result'));
  return text;
}

function tensorFile(key) {
  const header = JSON.stringify({ [key]: { dtype: 'F32', shape: [16], data_offsets: [0, 64] } }).padEnd(72);
  const bytes = Buffer.alloc(8 + header.length + 64);
  bytes.writeBigUInt64LE(BigInt(header.length), 0);
  bytes.write(header, 8);
  return bytes;
}
