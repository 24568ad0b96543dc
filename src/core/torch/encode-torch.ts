import { FirError } from '../errors.js';
import { quoteKey } from '../safetensors/quote-key.js';
import { pickleTensors } from './pickle-tensors.js';
import { placeViews, type TorchWrite } from './place-views.js';
import { layOutZip, type ZipEntry } from './zip-writer.js';

/** A file in pieces, one after the other. */
export interface EncodedTorch {
  pieces: Uint8Array[];
  byteLength: number;
  /** Where the memory of each tensor stands in the file. */
  begins: Map<string, number>;
}

const ROOT = 'archive';
const BYTE_ORDER = Buffer.from('little');
const VERSION = Buffer.from('3\n');
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The file that `torch.save` would make of a dict from key to tensor, with the tensors' strides, and their offsets and
 * sharing within what they cover. `aliases` are further keys of the same tensors. No data is copied.
 * FirError TENSOR_INVALID, TENSOR_UNSUPPORTED.
 */
export function encodeTorch(
  tensors: readonly TorchWrite[],
  aliases: ReadonlyMap<string, string> = new Map(),
): EncodedTorch {
  refuseBadKeys([...tensors.map(({ key }) => key), ...aliases.keys()]);
  const { storages, views } = placeViews(tensors);
  const pickle = pickleTensors(views, storages, aliases);
  const entries: ZipEntry[] = [entryOf('data.pkl', pickle), entryOf('byteorder', BYTE_ORDER)];
  const firstStorage = entries.length;
  storages.forEach(({ pieces, byteLength }, index) => {
    entries.push({ name: `${ROOT}/data/${index}`, pieces, byteLength });
  });
  entries.push(entryOf('version', VERSION));
  const { pieces, byteLength, begins } = layOutZip(entries);
  return {
    pieces,
    byteLength,
    begins: new Map(
      views.map(({ write, storage, begin }) => [write.key, (begins[firstStorage + storage] ?? 0) + begin]),
    ),
  };
}

function entryOf(name: string, data: Uint8Array): ZipEntry {
  return { name: `${ROOT}/${name}`, pieces: [data], byteLength: data.length };
}

function refuseBadKeys(keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    const fault = seen.has(key)
      ? 'duplicate tensor name'
      : LONE_SURROGATE.test(key)
        ? 'it is not well-formed Unicode'
        : undefined;
    if (fault !== undefined) {
      throw new FirError('TENSOR_INVALID', `can not write tensor ${quoteKey(key)}: ${fault}`);
    }
    seen.add(key);
  }
}
