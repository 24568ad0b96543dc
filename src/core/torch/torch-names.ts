import { DTYPES } from '../dtype/index.js';
import type { DtypeName } from '../model/dtype.js';
import { TYPED_STORAGES } from './written-dtypes.js';

/** Names that torch has for other things, or as placeholders whose tensors can not be made. */
const NOT_OF_TORCH: ReadonlySet<string> = new Set(['int4', 'uint4', 'string']);

/** The dtype that torch calls `float32`; undefined where fir has none. */
export function findTorchDtype(name: string): DtypeName | undefined {
  const dtype = NOT_OF_TORCH.has(name) ? undefined : DTYPES.get(name as DtypeName);
  return dtype?.name;
}

/** Whether `torch.<name>` is a dtype by its form, known here or not. */
export function isDtypeName(name: string): boolean {
  return /^(?:bool|bits|u?int|qu?int|b?float|complex)\d*(?:x\d+|_\w+)?$/.test(name);
}

/** The dtype of each typed storage class of module `torch`; null where no tensor of it is read. */
const STORAGE_CLASSES: ReadonlyMap<string, DtypeName | null> = new Map([
  ...[...TYPED_STORAGES].map(([dtype, name]): [string, DtypeName] => [name, dtype]),
  ['UntypedStorage', 'uint8'],
  ['_UntypedStorage', 'uint8'],
  ['QInt8Storage', null],
  ['QInt32Storage', null],
  ['QUInt8Storage', null],
  ['QUInt4x2Storage', null],
  ['QUInt2x4Storage', null],
]);

/** Functions that make tensors of a kind that is not read, and what to say of them. */
export const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_sparse_tensor', 'sparse tensors are not supported'],
  ['torch._utils._rebuild_sparse_csr_tensor', 'sparse tensors are not supported'],
  ['torch._utils._rebuild_qtensor', 'quantized tensors are not supported'],
  ['torch._utils._rebuild_nested_tensor', 'nested tensors are not supported'],
  ['torch.nested._internal.nested_tensor._rebuild_njt', 'nested (jagged) tensors are not supported'],
  ['torch._utils._rebuild_wrapper_subclass', 'tensor subclasses are not supported'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'a tensor of the meta device has no values'],
  ['torch._utils._rebuild_device_tensor_from_numpy', 'tensors of devices without storages are not supported'],
  [
    'torch._utils._rebuild_device_tensor_from_cpu_tensor',
    'tensors of devices without storages are not supported',
  ],
  ['torch._utils._rebuild_xla_tensor', 'tensors of devices without storages are not supported'],
  ['torch.storage._load_from_bytes', 'a storage that was pickled without torch.save is not supported'],
]);

const BUILDERS: readonly string[] = [
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch._tensor._rebuild_from_type',
  'torch._tensor._rebuild_from_type_v2',
];

const DESCRIPTIONS: ReadonlyMap<string, string> = new Map([
  ['collections.OrderedDict', 'a class, not a tensor'],
  ['torch.Size', 'a class, not a tensor'],
  ['torch.Tensor', 'a class, not a tensor'],
  ['torch.nn.parameter.Parameter', 'a class, not a tensor'],
  ['torch.device', 'a class, not a tensor'],
  ['torch.serialization._get_layout', 'a function, not a tensor'],
  ['torch.strided', 'a torch.layout, not a tensor'],
  ...['per_tensor_affine', 'per_channel_affine', 'per_channel_affine_float_qparams'].map(
    (name) => [`torch.${name}`, 'a torch.qscheme, not a tensor'] as const,
  ),
  ...BUILDERS.map((name) => [name, 'a function, not a tensor'] as const),
  ...[...OTHER_KINDS.keys()].map((name) => [name, 'a function, not a tensor'] as const),
]);

/** What a global is that tensors need; undefined for any other one, which only Python knows. */
export function describeGlobal(name: string): string | undefined {
  const known = DESCRIPTIONS.get(name);
  if (known !== undefined) return known;
  if (findStorageClass(name) !== undefined) return 'a class, not a tensor';
  const inTorch = /^torch\.(\w+)$/.exec(name)?.[1];
  return inTorch !== undefined && isDtypeName(inTorch) ? 'a torch.dtype, not a tensor' : undefined;
}

/** The dtype of a storage class by its full name, null where no tensor of it is read; undefined for another class. */
export function findStorageClass(name: string): DtypeName | null | undefined {
  const own = /^torch\.(?:storage\.|cuda\.)?(\w+)$/.exec(name)?.[1];
  return own === undefined ? undefined : STORAGE_CLASSES.get(own);
}
