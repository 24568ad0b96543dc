import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppendLog } from '../../../src/core/session/append-log.js';
import { makeTempDir } from '../../support/temp-dir.js';

function linesAfter(begin: string, ...lines: string[]): string {
  const path = join(makeTempDir(), 'session.jsonl');
  if (begin !== '') writeFileSync(path, begin);
  const log = new AppendLog(path);
  for (const line of lines) log.append(Buffer.from(line));
  log.close();
  return readFileSync(path, 'utf8');
}

describe('AppendLog', () => {
  it('makes the file, for its owner alone', () => {
    const path = join(makeTempDir(), 'session.jsonl');
    new AppendLog(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['', '{"a":1}\n{"b":2}\n'],
    ['{"old":1}\n', '{"old":1}\n{"a":1}\n{"b":2}\n'],
    ['{"torn', '{"torn\n{"a":1}\n{"b":2}\n'],
    ['\n', '\n{"a":1}\n{"b":2}\n'],
  ])('adds lines to %j', (begin, end) => {
    expect(linesAfter(begin, '{"a":1}\n', '{"b":2}\n')).toBe(end);
  });

  it('mends what another writer left torn between two lines of its own', () => {
    const path = join(makeTempDir(), 'session.jsonl');
    const log = new AppendLog(path);
    log.append(Buffer.from('first\n'));
    writeFileSync(path, 'other\ntorn', { flag: 'a' });
    log.append(Buffer.from('second\n'));
    log.append(Buffer.from('third\n'));
    log.close();
    expect(readFileSync(path, 'utf8')).toBe('first\nother\ntorn\nsecond\nthird\n');
  });

  it('goes on in a file that was emptied', () => {
    const path = join(makeTempDir(), 'session.jsonl');
    const log = new AppendLog(path);
    log.append(Buffer.from('first\n'));
    writeFileSync(path, '');
    log.append(Buffer.from('second\n'));
    log.close();
    expect(readFileSync(path, 'utf8')).toBe('second\n');
  });
});
