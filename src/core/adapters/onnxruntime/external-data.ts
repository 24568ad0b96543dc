/**
 * Finds the side files that an ONNX model keeps its weights in, by walking the protobuf wire format along the fields
 * that can hold a TensorProto. Field numbers: onnx.proto (ModelProto.graph 7, functions 25; GraphProto.node 1,
 * initializer 5, sparse_initializer 15; NodeProto.attribute 5; AttributeProto.t 5, g 6, tensors 10, graphs 11,
 * sparse_tensor 22, sparse_tensors 23; FunctionProto.node 7, attribute_proto 11; SparseTensorProto.values 1, indices 2;
 * TensorProto.external_data 13; StringStringEntryProto.key 1, value 2).
 */

type Kind = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'entry';

const CHILDREN: Record<Kind, Record<number, Kind>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
  entry: {},
};

/** Graphs nest in attributes of If, Loop and Scan; honest models go a few levels. */
const MAX_DEPTH = 64;
/** No file system has longer paths. */
const MAX_TEXT_BYTES = 1 << 16;
const WINDOW_BYTES = 1 << 16;

/** Bytes of a model from `position` on, as many as there are up to `length`. */
export type ReadModel = (position: number, length: number) => Uint8Array;

/** Locations named by `external_data`, each once. A file that is no ONNX model gives none. Values are stepped over. */
export function externalDataLocations(read: ReadModel, size: number): string[] {
  const found = new Set<string>();
  try {
    walk(new WireReader(read), { begin: 0, end: size }, 'model', 0, found);
  } catch {
    // Not protobuf: the runtime will say so when it loads the file.
  }
  return [...found];
}

interface Range {
  begin: number;
  end: number;
}

function walk(reader: WireReader, range: Range, kind: Kind, depth: number, found: Set<string>): void {
  if (depth > MAX_DEPTH) return;
  const children = CHILDREN[kind];
  for (const { number, value } of reader.fields(range)) {
    const child = children[number];
    if (child === 'entry') {
      const location = locationOf(reader, value);
      if (location !== undefined) found.add(location);
    } else if (child !== undefined) walk(reader, value, child, depth + 1, found);
  }
}

function locationOf(reader: WireReader, entry: Range): string | undefined {
  let key = '';
  let value = '';
  for (const field of reader.fields(entry)) {
    if (field.number === 1) key = reader.text(field.value);
    if (field.number === 2) value = reader.text(field.value);
  }
  return key === 'location' ? value : undefined;
}

/** Reads the wire format through a window, so that a model of gigabytes is never held. */
class WireReader {
  readonly #read: ReadModel;
  #window: Uint8Array = new Uint8Array();
  #base = 0;

  constructor(read: ReadModel) {
    this.#read = read;
  }

  /** The length-delimited fields of a message; others are stepped over. */
  *fields({ begin, end }: Range): Generator<{ number: number; value: Range }> {
    let at = begin;
    const varint = (): number => {
      let result = 0;
      for (let shift = 0; shift < 70; shift += 7) {
        if (at >= end) throw new RangeError('cut protobuf');
        const byte = this.#byte(at);
        at += 1;
        result += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return result;
      }
      throw new RangeError('overlong varint');
    };
    while (at < end) {
      const tag = varint();
      const wire = tag % 8;
      if (wire === 0) varint();
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire === 2) {
        const length = varint();
        if (length > end - at) throw new RangeError('field past the end');
        yield { number: Math.floor(tag / 8), value: { begin: at, end: at + length } };
        at += length;
      } else throw new RangeError('unknown wire type');
    }
  }

  text({ begin, end }: Range): string {
    const bytes = this.#read(begin, Math.min(end - begin, MAX_TEXT_BYTES));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  }

  #byte(position: number): number {
    if (position < this.#base || position >= this.#base + this.#window.length) {
      this.#window = this.#read(position, WINDOW_BYTES);
      this.#base = position;
    }
    const byte = this.#window[position - this.#base];
    if (byte === undefined) throw new RangeError('the model was cut while it was read');
    return byte;
  }
}
