import { FirError } from '../errors.js';
import { quoteKey } from '../safetensors/quote-key.js';
import { PickleWriter } from './pickle-writer.js';
import type { FileStorage, PlacedView } from './place-views.js';

/**
 * A dict from key to tensor as `torch.save` pickles it. `aliases` are keys that stand for the tensor of another one.
 * FirError TENSOR_INVALID for an alias of none.
 */
export function pickleTensors(
  views: readonly PlacedView[],
  storages: readonly FileStorage[],
  aliases: ReadonlyMap<string, string>,
): Uint8Array {
  const pickle = new PickleWriter();
  const targets = new Set(aliases.values());
  const remembered = new Map<string, number>();
  pickle.protocol();
  pickle.op('emptyDict');
  pickle.op('mark');
  for (const view of views) {
    const storage = storages[view.storage];
    if (storage === undefined) continue;
    const { key } = view.write;
    pickle.text(key);
    pickleTensor(pickle, view, storage);
    if (targets.has(key)) remembered.set(key, pickle.remember());
  }
  for (const [alias, key] of aliases) {
    const index = remembered.get(key);
    if (index === undefined) {
      throw new FirError('TENSOR_INVALID', `no tensor ${quoteKey(key)} for ${quoteKey(alias)}`);
    }
    pickle.text(alias);
    pickle.recall(index);
  }
  pickle.op('setItems');
  return pickle.finish();
}

/** The form that every release reads, or for an untyped storage the newer one, as torch's own writer chooses. */
function pickleTensor(pickle: PickleWriter, view: PlacedView, storage: FileStorage): void {
  const { dtype, shape, stride } = view.write;
  const { className } = storage;
  pickle.part(beginningOf(className));
  pickle.text(String(view.storage));
  pickle.part(CPU);
  pickle.count(storage.byteLength / storage.elementBytes);
  pickle.part(STORAGE_END);
  pickle.count(view.begin / view.elementBytes);
  pickle.counts(shape);
  pickle.counts(stride);
  pickle.part(NO_GRADIENT);
  if (className === undefined) pickle.global('torch', dtype);
  pickle.part(TENSOR_END);
}

/** What does not differ between tensors is pickled once. */
const beginnings = new Map<string | undefined, Uint8Array>();

const CPU = pickled((pickle) => pickle.text('cpu'));
const STORAGE_END = pickled((pickle) => {
  pickle.op('tuple');
  pickle.op('persistentId');
});
const TENSOR_END = pickled((pickle) => {
  pickle.op('tuple');
  pickle.op('reduce');
});
/** requires_grad, and no hooks. */
const NO_GRADIENT = pickled((pickle) => {
  pickle.op('false');
  pickle.global('collections', 'OrderedDict');
  pickle.counts([]);
  pickle.op('reduce');
});

/** From the rebuilding function to the class of the storage. */
function beginningOf(className: string | undefined): Uint8Array {
  let bytes = beginnings.get(className);
  if (bytes === undefined) {
    bytes = pickled((pickle) => {
      pickle.global('torch._utils', className === undefined ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2');
      pickle.op('mark');
      pickle.op('mark');
      pickle.text('storage');
      if (className === undefined) pickle.global('torch.storage', 'UntypedStorage');
      else pickle.global('torch', className);
    });
    beginnings.set(className, bytes);
  }
  return bytes;
}

function pickled(write: (pickle: PickleWriter) => void): Uint8Array {
  const pickle = new PickleWriter();
  write(pickle);
  return Uint8Array.from(pickle.written());
}
