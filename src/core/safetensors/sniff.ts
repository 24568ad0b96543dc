const SIGNATURES: readonly (readonly [looksLike: string, pattern: RegExp])[] = [
  ['a Git LFS pointer, whose content `git lfs pull` brings', /^version https:\/\/git-lfs/],
  ['an HTML page', /^\s*<(?:!doctype|html|head|body)/i],
  ['an XML document', /^\s*<\?xml/],
  ['a zip archive, as torch.save writes', /^PK(?:\x03\x04|\x05\x06)/],
  ['a pickle, as torch.save wrote before 1.6', /^\x80[\x02-\x05]/],
  ['a PNG picture', /^\x89PNG/],
  ['a JPEG picture', /^\xff\xd8\xff/],
  ['a GIF picture', /^GIF8/],
  ['a PDF document', /^%PDF/],
  ['gzip data', /^\x1f\x8b/],
  ['zstd data', /^\x28\xb5\x2f\xfd/],
  ['a GGUF model', /^GGUF/],
  ['an HDF5 file', /^\x89HDF/],
  ['a NumPy array', /^\x93NUMPY/],
  ['a program', /^\x7fELF/],
  ['a JSON document', /^\s*[{[]\s*["{[\]}\d]/],
];

/** Whether the first bytes of a file are those of another format. */
export function hasForeignSignature(start: Buffer): boolean {
  return findSignature(start) !== undefined;
}

/** What a file that is no safetensors file seems to be, by its first bytes. */
export function describeContent(start: Buffer): string {
  const signature = findSignature(start);
  if (signature !== undefined) return signature;
  const text = start.toString('latin1');
  if (/^\0*$/.test(text)) return 'zeros';
  return /^[\t\n\r\x20-\x7e]*$/.test(text) ? 'plain text' : 'other binary data';
}

function findSignature(start: Buffer): string | undefined {
  const text = start.toString('latin1');
  return SIGNATURES.find(([, pattern]) => pattern.test(text))?.[0];
}
