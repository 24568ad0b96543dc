import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { SharedFiles } from '../../../../src/core/replay/python/shared-files.js';
import { temporaryDirectory } from '../../../support/fir.js';

const made: SharedFiles[] = [];

function sharedFiles(folder?: string): SharedFiles {
  const files = new SharedFiles(folder);
  made.push(files);
  return files;
}

afterEach(() => {
  for (const files of made.splice(0)) files.dispose();
});

test('a file holds what it was given, for nobody but the user, and is gone afterwards', () => {
  const files = sharedFiles();
  const path = files.write(Buffer.from('values'));
  expect(readFileSync(path, 'utf8')).toBe('values');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  files.dispose();
  expect(existsSync(dirname(path))).toBe(false);
});

test('where shared memory is missing, the temporary folder takes its place', () => {
  const files = sharedFiles(join(temporaryDirectory(), 'missing'));
  expect(new Set(files.folders).size).toBe(1);
  expect(readFileSync(files.write(Buffer.from('values')), 'utf8')).toBe('values');
});

test('where shared memory takes no more, the temporary folder takes its place, and an error says that neither does', () => {
  const files = sharedFiles(temporaryDirectory());
  const [shared, fallback] = files.folders;
  expect(dirname(files.write(Buffer.from('a')))).toBe(shared);
  rmSync(shared, { recursive: true });
  const path = files.write(Buffer.from('b'));
  expect([dirname(path), readFileSync(path, 'utf8')]).toEqual([fallback, 'b']);
  rmSync(fallback, { recursive: true });
  expect(() => files.write(Buffer.from('c'))).toThrow(expect.objectContaining({ code: 'IO_FAILED' }));
});

test('only files of its own folders are its own', () => {
  const files = sharedFiles();
  const [shared] = files.folders;
  expect(files.owns(join(shared, 'out-1'))).toBe(true);
  expect(['/etc/passwd', shared, `${shared}/../x`, `${shared}/..`].map((path) => files.owns(path))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
