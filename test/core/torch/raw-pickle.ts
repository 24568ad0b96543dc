// Pickles by hand: each function gives the opcodes that push one value.

const MARK = Buffer.from('(');

function code(byte: number, ...rest: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([byte]), ...rest]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** A whole pickle. */
export function pickle(value: Uint8Array, protocol = 2): Buffer {
  return Buffer.concat([Buffer.from([0x80, protocol]), value, Buffer.from('.')]);
}

export const none = Buffer.from('N');
export const emptyTuple = Buffer.from(')');

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return code(0x58, uint32(bytes.length), bytes);
}

/** LONG1 of 8 bytes. */
export function integer(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return code(0x8a, Buffer.from([8]), bytes);
}

export function bool(value: boolean): Buffer {
  return Buffer.from([value ? 0x88 : 0x89]);
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return code(0x47, bytes);
}

export function tuple(...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([MARK, ...items, Buffer.from('t')]);
}

export function list(...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')]);
}

export function dict(...pairs: readonly (readonly [key: string | Uint8Array, value: Uint8Array])[]): Buffer {
  const items = pairs.flatMap(([key, value]) => [typeof key === 'string' ? text(key) : key, value]);
  return Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')]);
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function call(callee: Uint8Array, ...args: readonly Uint8Array[]): Buffer {
  return Buffer.concat([callee, tuple(...args), Buffer.from('R')]);
}

export function reference(id: Uint8Array): Buffer {
  return Buffer.concat([id, Buffer.from('Q')]);
}

export function remember(index: number, value: Uint8Array): Buffer {
  return Buffer.concat([value, code(0x72, uint32(index))]);
}

export function recall(index: number): Buffer {
  return code(0x6a, uint32(index));
}

/** An opcode with a 32-bit or 64-bit length that need not be true. */
export function claiming(opcode: number, length: number | bigint, content = ''): Buffer {
  const size = typeof length === 'bigint' ? uint64(length) : uint32(length);
  return code(opcode, size, Buffer.from(content));
}

export interface RawTensor {
  key?: string;
  elements?: number | bigint;
  storageClass?: string;
  device?: string;
  offset?: number | bigint;
  shape?: readonly (number | bigint)[];
  stride?: readonly (number | bigint)[];
}

export function storage({
  key = '0',
  elements = 4,
  storageClass = 'FloatStorage',
  device = 'cpu',
}: RawTensor): Buffer {
  return reference(
    tuple(text('storage'), global('torch', storageClass), text(key), text(device), integer(elements)),
  );
}

/** A float32 tensor of 4 elements in storage 0, but for what is given. */
export function tensor(raw: RawTensor = {}, ...more: readonly Uint8Array[]): Buffer {
  const { offset = 0, shape = [4], stride = [1] } = raw;
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage(raw),
    integer(offset),
    tuple(...shape.map(integer)),
    tuple(...stride.map(integer)),
    bool(false),
    call(global('collections', 'OrderedDict')),
    ...more,
  );
}
