/**
 * Finds the side files that an ONNX model keeps its weights in, by walking the protobuf wire format along the fields
 * that can hold a TensorProto. Field numbers: onnx.proto (ModelProto.graph 7, functions 25; GraphProto.node 1,
 * initializer 5, sparse_initializer 15; NodeProto.attribute 5; AttributeProto.t 5, g 6, tensors 10, graphs 11;
 * TensorProto.external_data 13; StringStringEntryProto.key 1, value 2).
 */

type Kind = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'entry';

const CHILDREN: Record<Kind, Record<number, Kind>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  entry: {},
};

/** Graphs nest in attributes of If, Loop and Scan; honest models go a few levels. */
const MAX_DEPTH = 64;

/** Locations named by `external_data`, each once. A file that is no ONNX model gives none. */
export function externalDataLocations(model: Buffer): string[] {
  const found = new Set<string>();
  try {
    walk(model, 'model', 0, found);
  } catch {
    // Not protobuf: the runtime will say so when it loads the file.
  }
  return [...found];
}

function walk(bytes: Buffer, kind: Kind, depth: number, found: Set<string>): void {
  if (depth > MAX_DEPTH) return;
  const children = CHILDREN[kind];
  for (const { number, value } of fields(bytes)) {
    const child = children[number];
    if (child === 'entry') {
      const location = locationOf(value);
      if (location !== undefined) found.add(location);
    } else if (child !== undefined) walk(value, child, depth + 1, found);
  }
}

function locationOf(entry: Buffer): string | undefined {
  let key = '';
  let value = '';
  for (const field of fields(entry)) {
    if (field.number === 1) key = field.value.toString('utf8');
    if (field.number === 2) value = field.value.toString('utf8');
  }
  return key === 'location' ? value : undefined;
}

/** The length-delimited fields of a message; others are stepped over. */
function* fields(bytes: Buffer): Generator<{ number: number; value: Buffer }> {
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined) throw new RangeError('cut protobuf');
      at += 1;
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    throw new RangeError('overlong varint');
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (length > bytes.length - at) throw new RangeError('field past the end');
      yield { number: Math.floor(tag / 8), value: bytes.subarray(at, at + length) };
      at += length;
    } else throw new RangeError('unknown wire type');
  }
}
