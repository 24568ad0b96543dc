import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gatherContiguous } from '../../../src/core/tensor/index.js';
import { TorchFile, type TorchTensor } from '../../../src/core/torch/index.js';
import { reasonOf, tensorOf, valuesOf } from './read-tensor.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const TORCH = join(FIXTURES, 'torch');
const FLASHINFER = join(FIXTURES, 'flashinfer');

function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(path, 'utf8')) as Content;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function logicalHash(file: TorchFile, tensor: TorchTensor): string {
  return sha256(gatherContiguous(file.readRange(tensor.storage, 0, tensor.storage.byteLength), tensor));
}

interface ExpectedTensor {
  file: string;
  key: string;
  dtype: string;
  shape: number[];
  stride: number[];
  storage_offset: number;
  requires_grad: boolean;
  is_parameter: boolean;
  storage_group: number | null;
  storage_bytes: number;
  sha256: string;
}

interface ExpectedDump {
  tensors: ExpectedTensor[];
  snapshots?: Record<string, ExpectedDump>;
  load_errors?: Record<string, unknown>;
}

function* dumpsOf(session: string): Generator<[directory: string, dump: ExpectedDump]> {
  const { dumps } = readJson<{ dumps: Record<string, ExpectedDump> }>(
    join(FLASHINFER, 'expected', `${session}.json`),
  );
  for (const [name, dump] of Object.entries(dumps)) {
    yield [join(FLASHINFER, session, name), dump];
    for (const [flush, snapshot] of Object.entries(dump.snapshots ?? {})) {
      yield [join(FLASHINFER, session, name, 'graph_flushes', flush), snapshot];
    }
  }
}

describe('recorded FlashInfer sessions', () => {
  const sessions = readdirSync(join(FLASHINFER, 'expected')).map((name) => name.replace('.json', ''));

  it.each(sessions)('%s: every tensor has the layout, sharing and bytes that torch finds', (session) => {
    for (const [directory, dump] of dumpsOf(session)) {
      const names = new Set(dump.tensors.map(({ file }) => file));
      for (const name of names) {
        const expected = dump.tensors.filter(({ file }) => file === name);
        const file = TorchFile.open(join(directory, name));
        expect([...file.entries.keys()].sort()).toEqual(expected.map(({ key }) => key).sort());
        const groups = new Map<unknown, number>();
        for (const [key, tensor] of file.entries) {
          const wanted = expected.find((one) => one.key === key);
          if (tensor.kind !== 'tensor' || wanted === undefined) throw new Error(`${name}: ${key}`);
          expect({
            file: name,
            key,
            dtype: tensor.dtype,
            shape: tensor.shape,
            stride: tensor.stride,
            storage_offset: tensor.offset,
            requires_grad: tensor.requiresGrad,
            is_parameter: tensor.isParameter,
            storage_bytes: tensor.storage.byteLength,
            sha256: logicalHash(file, tensor),
          }).toEqual(Object.fromEntries(Object.entries(wanted).filter(([field]) => SHOWN.has(field))));
          if (wanted.storage_group === null) continue;
          expect(groups.get(tensor.storage) ?? wanted.storage_group).toBe(wanted.storage_group);
          groups.set(tensor.storage, wanted.storage_group);
        }
        expect(new Set(groups.values()).size).toBe(groups.size);
        file.close();
      }
    }
  });

  const SHOWN = new Set(
    'file key dtype shape stride storage_offset requires_grad is_parameter storage_bytes sha256'.split(' '),
  );

  it('a file that a full disk cut is said to be cut short', () => {
    const [cut] = [...dumpsOf('disk_full')].flatMap(([directory, { load_errors: errors = {} }]) =>
      Object.keys(errors).map((name) => join(directory, name)),
    );
    if (cut === undefined) throw new Error('no file that can not be loaded');
    expect(() => TorchFile.open(cut)).toThrow(
      expect.objectContaining({
        code: 'TORCH_INVALID',
        where: cut,
        message: 'the archive is cut short: its end record is missing from a file of 4096 bytes',
      }),
    );
  });
});

interface ExpectedFiles {
  files: Record<string, Record<string, (Omit<ExpectedTensor, 'storage_offset'> & { offset: number }) | null>>;
}

describe('files of a newer torch', () => {
  const { files } = readJson<ExpectedFiles>(join(TORCH, 'expected.json'));

  it.each([
    'new-dtypes.pt',
    'kinds.pt',
    'protocol-2.pt',
    'protocol-3.pt',
    'protocol-4.pt',
    'protocol-5.pt',
    'checksums-off.pt',
    'aligned.pt',
    'cuda-tag.pt',
  ])('%s: every plain tensor has the layout and bytes that torch gave it', (name) => {
    const file = TorchFile.open(join(TORCH, name));
    const expected = files[name] ?? {};
    expect([...file.entries.keys()]).toEqual(expect.arrayContaining(Object.keys(expected)));
    for (const [key, wanted] of Object.entries(expected)) {
      const tensor = file.entries.get(key);
      if (wanted === null) {
        expect(tensor?.kind, key).toBe('opaque');
        continue;
      }
      if (tensor?.kind !== 'tensor') throw new Error(`${key}: ${tensor?.reason}`);
      expect({
        dtype: tensor.dtype,
        shape: tensor.shape,
        stride: tensor.stride,
        offset: tensor.offset,
        storage_bytes: tensor.storage.byteLength,
        requires_grad: tensor.requiresGrad,
        is_parameter: tensor.isParameter,
        sha256: logicalHash(file, tensor),
      }).toEqual(wanted);
    }
    file.close();
  });

  it('views of a dtype without a storage class share their storage', () => {
    const file = TorchFile.open(join(TORCH, 'new-dtypes.pt'));
    expect(tensorOf(file, 'shared_tail').storage).toBe(tensorOf(file, 'shared').storage);
    expect(tensorOf(file, 'shared_tail').offset).toBe(20);
    file.close();
  });

  it('each kind of tensor that is not read says which it is, and the others are read', () => {
    const file = TorchFile.open(join(TORCH, 'kinds.pt'));
    const reasons = [...file.entries].flatMap(([key, entry]) =>
      entry.kind === 'opaque' ? [[key, entry.reason]] : [],
    );
    expect(Object.fromEntries(reasons)).toEqual({
      subclass: 'tensor subclasses are not supported (__main__.Subclass)',
      sparse: 'sparse tensors are not supported',
      sparse_csr: 'sparse tensors are not supported',
      quantized: 'quantized tensors are not supported',
      quantized_channels: 'quantized tensors are not supported',
      nested: 'nested tensors are not supported',
      jagged: 'nested (jagged) tensors are not supported',
      meta: 'a tensor of the meta device has no values',
      conjugate: 'conjugate views are not supported',
      negative: 'negative views are not supported',
      complex32: 'complex32 is not supported',
      numpy_scalar: 'numpy._core.multiarray.scalar: an object that only Python knows',
      numpy_array: 'numpy._core.multiarray._reconstruct: an object that only Python knows',
      namespace: 'argparse.Namespace: an object that only Python knows',
      size: 'a tuple of 2 items, none of them a tensor',
      device: 'a torch.device, not a tensor',
      dtype: 'torch.float8_e4m3fn: a torch.dtype, not a tensor',
      layout: 'a torch.layout, not a tensor',
      storage: 'a storage, not a tensor',
      number: 'a number, not a tensor',
      text: 'a text, not a tensor',
      set: '__builtin__.set: an object that only Python knows',
    });
    expect(file.foreignGlobals).toEqual(
      expect.arrayContaining(['argparse.Namespace', 'numpy.ndarray', '__main__.Subclass']),
    );
    file.close();
  });

  it('values in containers are named by what leads to them', () => {
    const file = TorchFile.open(join(TORCH, 'nested.pt'));
    const sizes = [...file.entries].flatMap(([key, entry]) =>
      entry.kind === 'tensor' ? [[key, entry.shape.join('x')]] : [],
    );
    expect(sizes).toEqual([
      ['list.0', '2'],
      ['list.1.0', '3'],
      ['list.1.1.deep', '4'],
      ['tuple.0', '5'],
      ['shared.0', '3'],
      ['1', '1'],
      ['("a", 2)', '7'],
      ['None', '8'],
      ['__proto__', '9'],
      ['constructor', '10'],
      ['', '11'],
      ['schlüssel', '12'],
      ['state_dict.weight', '1x2'],
      ['state_dict.bias', '1'],
    ]);
    expect(reasonOf(file, 'again')).toBe('the same list as "shared"');
    expect(reasonOf(file, 'tuple.1')).toBe('None, not a tensor');
    file.close();
  });

  it('a tensor or a list at the top has the empty key or positions', () => {
    const tensor = TorchFile.open(join(TORCH, 'tensor.pt'));
    expect([...tensor.entries.keys()]).toEqual(['']);
    const list = TorchFile.open(join(TORCH, 'list.pt'));
    expect([...list.entries.keys()]).toEqual(['0', '1']);
  });

  it('a device tag is kept and needs no such device', () => {
    const file = TorchFile.open(join(TORCH, 'cuda-tag.pt'));
    expect(tensorOf(file, 'far').storage.device).toBe('cuda:7');
    expect(tensorOf(file, 'near').storage.device).toBe('cpu');
    expect(new Float32Array(valuesOf(file, 'far').slice().buffer)).toEqual(new Float32Array([0, 1, 2, 3]));
  });

  it.each([
    [
      'legacy.pt',
      'a file in the format that torch.save wrote before torch 1.6 (no zip archive), which is not read',
    ],
    ['script.pt', 'a TorchScript archive (a program, as torch.jit.save writes), not a file of tensors'],
    ['big-endian.pt', 'its values are big-endian, which is not read'],
  ])('%s is refused by what it is, with the way out', (name, message) => {
    const path = join(TORCH, name);
    expect(() => TorchFile.open(path)).toThrow(
      expect.objectContaining({
        code: 'TORCH_INVALID',
        message,
        where: path,
        hint: expect.stringContaining('torch.'),
      }),
    );
  });
});
