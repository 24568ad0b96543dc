import { describeContent } from '../safetensors/sniff.js';
import type { ByteSource } from './byte-source.js';
import { TorchFault } from './fault.js';

/** What torch.save wrote before 1.6 begins with: the pickled integer 0x1950a86a20f9469cfc6c. */
const LEGACY_START = Buffer.from('80028a0a6cfc9c46f9206aa850194d', 'hex');
const LEGACY_SHOWN = 8;
const START_BYTES = 512;
const TAR_MARK = { at: 257, text: 'ustar' };

/** Goes on for a zip archive. Throws a fault that says what the file is else. */
export function checkIsZip(source: ByteSource): void {
  const start = source.read(0, Math.min(source.size, START_BYTES));
  if (start.toString('latin1', 0, 4) === 'PK\x03\x04') return;
  if (start.length === 0) throw notTorch('an empty file');
  if (start.subarray(0, LEGACY_SHOWN).equals(LEGACY_START.subarray(0, LEGACY_SHOWN))) {
    throw new TorchFault(
      'a file in the format that torch.save wrote before torch 1.6 (no zip archive), which is not read',
      'load it with torch.load and save it again with a newer torch: `torch.save(torch.load(path), path)`',
    );
  }
  if (start.toString('latin1', TAR_MARK.at, TAR_MARK.at + TAR_MARK.text.length) === TAR_MARK.text) {
    throw notTorch('a tar archive, as torch.save wrote before 0.1.10');
  }
  if (start.toString('latin1', 0, 4) === 'PK\x05\x06') throw notTorch('an empty zip archive');
  throw notTorch(isSafetensors(start, source.size) ? 'a safetensors file' : describeContent(start));
}

/** A header length that the file can hold, and the brace that opens the header. */
function isSafetensors(start: Buffer, size: number): boolean {
  return (
    start.length > 8 && start.readUInt32LE(4) === 0 && start.readUInt32LE(0) <= size - 8 && start[8] === 0x7b
  );
}

function notTorch(content: string): TorchFault {
  return new TorchFault(`not a torch.save file (looks like ${content})`);
}
