import { HeaderScanner } from './header-scanner.js';
import { quoteKey } from './quote-key.js';

/** One tensor as a header states it; offsets count from the end of the header. */
export interface HeaderTensor {
  key: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

export interface Header {
  /** In the order of the header's text. */
  tensors: HeaderTensor[];
  metadata: Map<string, string>;
}

/** The tensors and metadata of a header's text. Throws HeaderSyntaxError; offsets are not checked yet. */
export function parseHeader(text: string): Header {
  const scanner = new HeaderScanner(text);
  const tensors: HeaderTensor[] = [];
  const seen = new Set<string>();
  let metadata = new Map<string, string>();
  scanner.object((key, position) => {
    const isMetadata = key === '__metadata__';
    if (seen.has(key))
      scanner.fail(`duplicate ${isMetadata ? key : `tensor name ${quoteKey(key)}`}`, position);
    seen.add(key);
    scanner.subject = isMetadata ? key : `tensor ${quoteKey(key)}`;
    if (isMetadata) metadata = parseMetadata(scanner);
    else tensors.push(parseTensor(scanner, key));
    scanner.subject = '';
  });
  scanner.expectEnd();
  return { tensors, metadata };
}

function parseMetadata(scanner: HeaderScanner): Map<string, string> {
  const metadata = new Map<string, string>();
  if (scanner.takesNull()) return metadata;
  scanner.object((key, position) => {
    scanner.subject = `__metadata__ ${quoteKey(key)}`;
    if (metadata.has(key)) scanner.fail('duplicate key', position);
    metadata.set(key, scanner.string());
    scanner.subject = '__metadata__';
  });
  return metadata;
}

function parseTensor(scanner: HeaderScanner, key: string): HeaderTensor {
  const fields = new Set<string>();
  const tensor: HeaderTensor = { key, dtype: '', shape: [], begin: 0, end: 0 };
  scanner.object((field, position) => {
    if (field !== 'dtype' && field !== 'shape' && field !== 'data_offsets') {
      scanner.skipValue();
      return;
    }
    if (fields.has(field)) scanner.fail(`duplicate field ${field}`, position);
    fields.add(field);
    if (field === 'dtype') tensor.dtype = scanner.string();
    else if (field === 'shape') scanner.list(() => tensor.shape.push(scanner.count()));
    else [tensor.begin, tensor.end] = parseOffsets(scanner);
  });
  for (const field of ['dtype', 'shape', 'data_offsets']) {
    if (!fields.has(field)) scanner.fail(`missing field ${field}`);
  }
  return tensor;
}

function parseOffsets(scanner: HeaderScanner): [begin: number, end: number] {
  const offsets: number[] = [];
  scanner.list(() => offsets.push(scanner.count()));
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    scanner.fail(`data_offsets has ${offsets.length} numbers, not 2`);
  }
  return [begin, end];
}
