// Writes small ONNX models, so that tests of a real runtime need neither Python nor model files.
// Field numbers and element types: onnx.proto of the ONNX project.

export type OnnxType = keyof typeof ELEMENT_TYPES;

const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  uint4: 21,
  int4: 22,
} as const;

/** An input or output; a dimension with a name is any size, and without a shape any number of dimensions fits. */
export interface OnnxValue {
  name: string;
  type: OnnxType;
  shape?: readonly (number | string)[];
}

export interface OnnxNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** Integers, or the subgraphs of If and Loop. */
  attributes?: Readonly<Record<string, number | OnnxGraph>>;
}

/** A constant with its bytes, or with the side file that holds them. */
export interface OnnxInitializer {
  name: string;
  type: OnnxType;
  shape: readonly number[];
  data: Uint8Array | { location: string };
}

export interface OnnxGraph {
  inputs?: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  nodes: readonly OnnxNode[];
  initializers?: readonly OnnxInitializer[];
}

/** A model as the bytes of its file. Opset 21 is the first that has 4-bit integers. */
export function onnxModel(graph: OnnxGraph): Buffer {
  return Buffer.concat([
    integer(1, 10),
    bytes(7, encodeGraph(graph)),
    bytes(8, Buffer.concat([text(1, ''), integer(2, 21)])),
  ]);
}

/** y = x, of any shape */
export function identityModel(type: OnnxType): Buffer {
  return onnxModel({
    inputs: [{ name: 'x', type }],
    outputs: [{ name: 'y', type }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}

/** y = x + w, of float32; `w` is in the model or in a side file. */
export function addModel(size: number, w: Float32Array | { location: string }): Buffer {
  const data = 'location' in w ? w : new Uint8Array(w.buffer, w.byteOffset, w.byteLength);
  return onnxModel({
    inputs: [{ name: 'x', type: 'float32', shape: [size] }],
    outputs: [{ name: 'y', type: 'float32', shape: [size] }],
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [{ name: 'w', type: 'float32', shape: [size], data }],
  });
}

/** y = x + (flag ? w : 0), with `w` inside the branch's own graph. */
export function branchModel(size: number, w: OnnxInitializer['data']): Buffer {
  const y: OnnxValue = { name: 'y', type: 'float32', shape: [size] };
  const branch = (nodes: OnnxNode[], initializers: OnnxInitializer[]): OnnxGraph => ({
    outputs: [{ ...y, name: 'z' }],
    nodes,
    initializers,
  });
  return onnxModel({
    inputs: [
      { ...y, name: 'x' },
      { name: 'flag', type: 'bool', shape: [] },
    ],
    outputs: [y],
    nodes: [
      {
        op: 'If',
        inputs: ['flag'],
        outputs: ['y'],
        attributes: {
          then_branch: branch(
            [{ op: 'Add', inputs: ['x', 'w'], outputs: ['z'] }],
            [{ name: 'w', type: 'float32', shape: [size], data: w }],
          ),
          else_branch: branch([{ op: 'Identity', inputs: ['x'], outputs: ['z'] }], []),
        },
      },
    ],
  });
}

function encodeGraph(graph: OnnxGraph): Buffer {
  return Buffer.concat([
    ...graph.nodes.map((node) => bytes(1, encodeNode(node))),
    text(2, 'graph'),
    ...(graph.initializers ?? []).map((initializer) => bytes(5, encodeInitializer(initializer))),
    ...(graph.inputs ?? []).map((value) => bytes(11, encodeValue(value))),
    ...graph.outputs.map((value) => bytes(12, encodeValue(value))),
  ]);
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(
        5,
        typeof value === 'number'
          ? Buffer.concat([text(1, name), integer(3, value), integer(20, 2)])
          : Buffer.concat([text(1, name), bytes(6, encodeGraph(value)), integer(20, 5)]),
      ),
    ),
  ]);
}

function encodeValue({ name, type, shape }: OnnxValue): Buffer {
  const dims = shape?.map((size) => bytes(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  const tensor = Buffer.concat([
    integer(1, ELEMENT_TYPES[type]),
    ...(dims === undefined ? [] : [bytes(2, Buffer.concat(dims))]),
  ]);
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

function encodeInitializer({ name, type, shape, data }: OnnxInitializer): Buffer {
  const head = [...shape.map((size) => integer(1, size)), integer(2, ELEMENT_TYPES[type]), text(8, name)];
  if (data instanceof Uint8Array) return Buffer.concat([...head, bytes(9, data)]);
  const entry = Buffer.concat([text(1, 'location'), text(2, data.location)]);
  return Buffer.concat([...head, bytes(13, entry), integer(14, 1)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, 'utf8'));
}

function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** Of a number that is not negative. */
function varint(value: number): Buffer {
  const found: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    found.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...found, rest]);
}
