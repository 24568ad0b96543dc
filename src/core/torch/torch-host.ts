import { LIMITS } from './limits.js';
import { opaque, showName } from './opaque.js';
import {
  PickleGlobal,
  type PickleHost,
  PickleList,
  PickleReference,
  type PickleValue,
} from './pickle-values.js';
import { rebuildTensor, rebuildTensorV3 } from './rebuild-tensor.js';
import type { StorageTable } from './storages.js';
import { describeGlobal, OTHER_KINDS } from './torch-names.js';
import type { TorchOpaque, TorchTensor } from './types.js';

type Builder = (args: readonly PickleValue[]) => PickleValue;

/** What the functions and classes that tensors need make of their arguments. */
const BUILDERS: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensorV3],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._tensor._rebuild_from_type', rebuildFromType],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  ['collections.OrderedDict', makeOrderedDict],
  ['torch.Size', ([sizes = []]) => (sizes instanceof PickleList ? sizes.items : sizes)],
  ['torch.device', () => opaque('a torch.device, not a tensor')],
  ['torch.serialization._get_layout', () => opaque('a torch.layout, not a tensor')],
  ...[...OTHER_KINDS].map(([name, reason]) => [name, () => opaque(reason)] as const),
]);

/** Reads the pickles of torch.save as data: tensors, and for all else its name. */
export class TorchHost implements PickleHost {
  readonly #storages: StorageTable;
  readonly #foreign = new Set<string>();

  constructor(storages: StorageTable) {
    this.#storages = storages;
  }

  /** Names of globals that were met and that tensors do not need. */
  get foreignGlobals(): string[] {
    return [...this.#foreign];
  }

  findGlobal(module: string, name: string): PickleValue {
    const global = new PickleGlobal(`${module}.${name}`);
    if (describeGlobal(global.name) === undefined && this.#foreign.size < LIMITS.foreignGlobals) {
      this.#foreign.add(showName(global.name));
    }
    return global;
  }

  call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof PickleGlobal)) return isOpaque(callee) ? callee : opaque(ONLY_PYTHON);
    const builder = BUILDERS.get(callee.name);
    if (builder === undefined) return describeForeign(callee);
    return Array.isArray(args) ? builder(args) : opaque('it is made of arguments that are no tuple');
  }

  findReference(id: PickleValue): PickleValue {
    return new PickleReference(this.#storages.refer(id));
  }
}

const ONLY_PYTHON = 'an object that only Python knows';

/** A class, a function or an object of it that is known by name only. */
export function describeForeign(global: PickleGlobal): TorchOpaque {
  return opaque(`${showName(global.name)}: ${describeGlobal(global.name) ?? ONLY_PYTHON}`);
}

function isOpaque(value: PickleValue): value is TorchOpaque {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'opaque';
}

function isTensor(value: PickleValue | undefined): value is TorchTensor {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tensor';
}

function rebuildParameter([data, requiresGrad]: readonly PickleValue[]): TorchTensor | TorchOpaque {
  if (isTensor(data)) return { ...data, requiresGrad: requiresGrad === true, isParameter: true };
  return data !== undefined && isOpaque(data) ? data : opaque('a parameter that is made of no tensor');
}

/** A tensor with Python attributes, which are left aside, or of a class of its own, which is not read. */
function rebuildFromType([builder, type, args]: readonly PickleValue[]): TorchTensor | TorchOpaque {
  const make = builder instanceof PickleGlobal ? BUILDERS.get(builder.name) : undefined;
  if (make === undefined || make === rebuildFromType || !Array.isArray(args)) {
    return opaque('a tensor that is made in a way that is not known');
  }
  const className = type instanceof PickleGlobal ? showName(type.name) : '?';
  const tensor = make(args);
  if (isOpaque(tensor)) return tensor;
  const isParameter = className === 'torch.nn.parameter.Parameter';
  if (!isParameter && className !== 'torch.Tensor') {
    return opaque(`tensor subclasses are not supported (${className})`);
  }
  if (!isTensor(tensor)) return opaque('a tensor that is made in a way that is not known');
  return { ...tensor, isParameter: tensor.isParameter || isParameter };
}

/** Empty: what is in it is put there afterwards. */
function makeOrderedDict(args: readonly PickleValue[]): PickleValue {
  return args.length === 0 ? new Map() : opaque('an OrderedDict that is made of other values');
}
