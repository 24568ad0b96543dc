import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  dumpNameFrom,
  makeDumpDirectory,
  removeIfPossible,
  writeBeside,
} from '../../src/preload/dump-files.js';
import { makeTempDir } from '../support/temp-dir.js';

describe('dumpNameFrom', () => {
  it('holds nothing that a file system or a shell takes amiss', () => {
    const name = dumpNameFrom('../a/b\\c d.$(rm)\u0000é', 7, '20261124_143217_012');
    expect(name).toBe(`20261124_143217_012_pid${process.pid}_.._a_b_c_d.__rm____call0007`);
    expect(dumpNameFrom('', 12345, 't')).toBe(`t_pid${process.pid}___call12345`);
    expect(dumpNameFrom('x'.repeat(1000), 1, 't').length).toBeLessThan(200);
  });
});

describe('makeDumpDirectory', () => {
  it('never gives two calls one directory', () => {
    const root = makeTempDir();
    const names = Array.from({ length: 4 }, () => makeDumpDirectory(root, 'call'));
    expect(names).toEqual(['call', 'call_2', 'call_3', 'call_4']);
    expect(statSync(join(root, 'call_4')).mode & 0o777).toBe(0o700);
  });

  it('throws where none can be made', () => {
    expect(() => makeDumpDirectory(join(makeTempDir(), 'missing'), 'call')).toThrow('ENOENT');
  });
});

describe('writeBeside', () => {
  it('writes pieces in order, for the owner alone', () => {
    const path = join(makeTempDir(), 'file');
    const pieces = Array.from({ length: 1500 }, (_, index) => Buffer.alloc(1 + (index % 3), index));
    writeBeside(path, 'tag', pieces);
    expect(Buffer.compare(readFileSync(path), Buffer.concat(pieces))).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind where it fails', () => {
    const directory = makeTempDir();
    mkdirSync(join(directory, 'taken', 'by'), { recursive: true });
    expect(() => writeBeside(join(directory, 'taken'), 'tag', [Buffer.from('text')])).toThrow();
    expect(readdirSync(directory)).toEqual(['taken']);
  });
});

it('removeIfPossible removes what is there, and is content where nothing is', () => {
  const directory = makeTempDir();
  mkdirSync(join(directory, 'a', 'b'), { recursive: true });
  removeIfPossible(join(directory, 'a'));
  removeIfPossible(join(directory, 'a'));
  expect(readdirSync(directory)).toEqual([]);
});
