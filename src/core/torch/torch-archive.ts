import { quoteKey } from '../safetensors/quote-key.js';
import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';
import { LIMITS } from './limits.js';
import { checkIsZip } from './sniff-file.js';
import { readZipDirectory, type ZipRecord } from './zip-directory.js';
import { readRecord } from './zip-record.js';

const PICKLE = 'data.pkl';
const BYTE_ORDER_BYTES = 64;

/** The records of a torch.save archive. */
export interface TorchArchive {
  pickle: Uint8Array;
  findStorage(key: string): ZipRecord | undefined;
}

/**
 * Reads the directory of a torch.save archive and the pickle in it (the layout of torch/csrc/jit/serialization:
 * everything in one folder of any name). Throws a fault, also for TorchScript archives and big-endian values.
 */
export function readTorchArchive(source: ByteSource): TorchArchive {
  checkIsZip(source);
  const records = readZipDirectory(source);
  const folder = findFolder(records);
  checkByteOrder(source, records.get(`${folder}byteorder`));
  const pickle = records.get(folder + PICKLE);
  if (pickle === undefined) throw new TorchFault(`the archive has no record ${PICKLE}`);
  return {
    pickle: readRecord(source, pickle, LIMITS.pickleBytes),
    findStorage: (key) => records.get(`${folder}data/${key}`),
  };
}

function findFolder(records: ReadonlyMap<string, ZipRecord>): string {
  const folders: string[] = [];
  for (const name of records.keys()) {
    if (name === PICKLE || name.endsWith(`/${PICKLE}`)) folders.push(name.slice(0, -PICKLE.length));
  }
  folders.sort((left, right) => left.length - right.length);
  const [folder, second] = folders;
  if (folder === undefined) {
    throw new TorchFault(
      `not a torch.save file (looks like a zip archive of something else: no ${PICKLE} in it)`,
    );
  }
  if (isTorchScript(records, folder)) {
    throw new TorchFault(
      'a TorchScript archive (a program, as torch.jit.save writes), not a file of tensors',
      'load it with torch.jit.load and save the tensors of its state_dict() with torch.save',
    );
  }
  if (second !== undefined && !second.startsWith(folder)) {
    throw new TorchFault(`two folders hold a ${PICKLE}: ${quoteKey(folder)} and ${quoteKey(second)}`);
  }
  return folder;
}

function isTorchScript(records: ReadonlyMap<string, ZipRecord>, folder: string): boolean {
  if (records.has(`${folder}constants.pkl`)) return true;
  for (const name of records.keys()) if (name.startsWith(`${folder}code/`)) return true;
  return false;
}

function checkByteOrder(source: ByteSource, entry: ZipRecord | undefined): void {
  if (entry === undefined) return;
  const order = Buffer.from(readRecord(source, entry, BYTE_ORDER_BYTES)).toString('latin1');
  if (order === 'little') return;
  if (order === 'big') {
    throw new TorchFault(
      'its values are big-endian, which is not read',
      'load it with torch.load on a little-endian machine and save it again',
    );
  }
  throw new TorchFault(`its byte order is ${quoteKey(order)}, which is not known`);
}
