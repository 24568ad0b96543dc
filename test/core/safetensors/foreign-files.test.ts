import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile } from '../../../src/core/safetensors/index.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { faultOf, faultOfFile } from './raw-file.js';

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12345\n';

describe('files that are something else', () => {
  it.each([
    ['a Git LFS pointer', POINTER, 'a Git LFS pointer, whose content `git lfs pull` brings'],
    ['an HTML page', '<!DOCTYPE html>\n<html><body>404</body></html>', 'an HTML page'],
    ['an HTML page without its type', '\n<html>\n  <body>Not found</body></html>', 'an HTML page'],
    ['an XML document', '<?xml version="1.0"?><Error>AccessDenied</Error>', 'an XML document'],
    [
      'a torch file',
      'PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0archive/data.pkl',
      'a zip archive, as torch.save writes',
    ],
    [
      'an old torch file',
      '\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9',
      'a pickle, as torch.save wrote before 1.6',
    ],
    ['a picture', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0', 'a PNG picture'],
    ['a JSON document', '{"error":{"message":"gated"}}', 'a JSON document'],
    ['a gzip file', '\x1f\x8b\x08\0\0\0\0\0\0\x03abcdef', 'gzip data'],
    ['a model', 'GGUF\x03\0\0\0\x23\x01\0\0\0\0\0\0', 'a GGUF model'],
    ['plain text', 'hello, this is a text', 'plain text'],
    ['noise', '\x13\x37\xfe\xed\xba\xbe\x01\x02\x03\x04', 'other binary data'],
    ['zeros', '\0'.repeat(64), 'zeros'],
    ['nothing', '', 'an empty file'],
    ['7 bytes', 'abcdefg', 'plain text of 7 bytes'],
  ])('says so of %s', (_, content, looksLike) => {
    expect(faultOfFile(Buffer.from(content, 'latin1'))).toBe(
      `not a safetensors file (looks like ${looksLike})`,
    );
  });

  it('says so of a directory', () => {
    const path = join(makeTempDir(), 'x.safetensors');
    mkdirSync(path);
    expect(faultOf(() => SafetensorsFile.open(path)).message).toBe(
      'not a safetensors file (not a regular file)',
    );
  });

  it('says that a file is missing', () => {
    const path = join(makeTempDir(), 'x.safetensors');
    const fault = faultOf(() => SafetensorsFile.open(path));
    expect(fault.code).toBe('NOT_FOUND');
    expect(fault.where).toBe(path);
  });
});
