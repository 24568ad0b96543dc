import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { FirError } from '../errors.js';
import type { CallRecord } from '../model/call.js';
import { isPlainName, sizeOfSessionFile, statOf } from './safe-path.js';
import { SafetensorsValues } from './safetensors-values.js';
import { TorchValues } from './torch-values.js';
import type { TensorGroupName } from './types.js';
import type { ValueFile } from './value-file.js';

const TORCH = '.pt';
const SAFETENSORS = '.safetensors';

/** The tensor files of one dump, opened when first needed. */
export class TensorFiles {
  readonly #path: string;
  readonly #realRoot: string;
  readonly #open = new Map<string, ValueFile | FirError>();
  readonly #stats = new Map<string, Stats | undefined>();

  constructor(path: string, realRoot: string) {
    this.#path = path;
    this.#realRoot = realRoot;
  }

  /** Name of a group's file: in the record's format, or in the other one where the file is there only so. */
  nameOf(group: TensorGroupName, format: CallRecord['tensor_format']): string {
    return this.#nameThatIsThere(`${group}${format === 'torch' ? TORCH : SAFETENSORS}`);
  }

  /** Whether there is a file of the name, of whatever content. FirError UNSAFE_PATH. */
  has(name: string): boolean {
    const path = join(this.#path, name);
    return sizeOfSessionFile(this.#realRoot, path, this.#statOf(name)) !== undefined;
  }

  /** FirError UNSAFE_PATH, TENSOR_DATA_MISSING, TORCH_INVALID, SAFETENSORS_INVALID. */
  open(recorded: string): ValueFile {
    if (!isPlainName(recorded)) {
      throw new FirError(
        'UNSAFE_PATH',
        `the record names a file outside its directory: ${JSON.stringify(recorded)}`,
        { where: this.#path },
      );
    }
    const name = this.#nameThatIsThere(recorded);
    let file = this.#open.get(name);
    if (file === undefined) {
      file = this.#tryToOpen(name);
      this.#open.set(name, file);
    }
    if (file instanceof FirError) throw file;
    return file;
  }

  close(): void {
    for (const file of this.#open.values()) if (!(file instanceof FirError)) file.close();
    this.#open.clear();
  }

  #tryToOpen(name: string): ValueFile | FirError {
    const path = join(this.#path, name);
    try {
      if (!this.has(name)) {
        return new FirError('TENSOR_DATA_MISSING', `${name} is missing`, { where: path });
      }
      return name.endsWith(TORCH) ? new TorchValues(path) : new SafetensorsValues(path);
    } catch (error) {
      if (error instanceof FirError) return error;
      throw error;
    }
  }

  #nameThatIsThere(name: string): string {
    const other = otherFormat(name);
    const isThere = (file: string) => this.#statOf(file) !== undefined;
    return other !== undefined && !isThere(name) && isThere(other) ? other : name;
  }

  /** Asked of the file system once: a tensor file is opened by then, or is of no use. */
  #statOf(name: string): Stats | undefined {
    if (!this.#stats.has(name)) this.#stats.set(name, statOf(join(this.#path, name)));
    return this.#stats.get(name);
  }
}

function otherFormat(name: string): string | undefined {
  if (name.endsWith(TORCH)) return `${name.slice(0, -TORCH.length)}${SAFETENSORS}`;
  return name.endsWith(SAFETENSORS) ? `${name.slice(0, -SAFETENSORS.length)}${TORCH}` : undefined;
}
