import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from '../../../src/core/session/line-reader.js';
import { makeTempDir } from '../../support/temp-dir.js';

interface ReadLine {
  offset: number;
  length: number;
  text: string | undefined;
  terminated: boolean;
}

function linesOf(content: Buffer | string, maxLineBytes?: number): ReadLine[] {
  const path = join(makeTempDir(), 'lines');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    return Array.from(readLines(fd, maxLineBytes), ({ offset, length, bytes, terminated }) => ({
      offset,
      length,
      text: bytes?.toString('latin1'),
      terminated,
    }));
  } finally {
    closeSync(fd);
  }
}

/** What the lines of a buffer are, found the plain way. */
function expectedLines(content: Buffer): ReadLine[] {
  const lines: ReadLine[] = [];
  let offset = 0;
  for (const text of content.toString('latin1').split('\n')) {
    const terminated = offset + text.length < content.length;
    if (terminated || text !== '') lines.push({ offset, length: text.length, text, terminated });
    offset += text.length + 1;
  }
  return lines;
}

describe('readLines', () => {
  it('gives nothing for an empty file', () => {
    expect(linesOf('')).toEqual([]);
  });

  it('gives offsets, and says whether the last line ends', () => {
    expect(linesOf('ab\n\nc')).toEqual([
      { offset: 0, length: 2, text: 'ab', terminated: true },
      { offset: 3, length: 0, text: '', terminated: true },
      { offset: 4, length: 1, text: 'c', terminated: false },
    ]);
  });

  it('reads lines of every length around the size of its buffer', () => {
    const lengths = [262_143, 262_144, 262_145, 524_287, 1_000_000, 3, 131_071, 131_072, 131_073];
    const content = Buffer.from(lengths.map((length, index) => String(index).repeat(length)).join('\n'));
    expect(linesOf(content)).toEqual(expectedLines(content));
  });

  it('passes over a line past its bound without keeping it, and goes on behind it', () => {
    const content = `first\n${'x'.repeat(900_000)}\nlast\n${'y'.repeat(700_000)}`;
    expect(linesOf(content, 300_000)).toEqual([
      { offset: 0, length: 5, text: 'first', terminated: true },
      { offset: 6, length: 900_000, text: undefined, terminated: true },
      { offset: 900_007, length: 4, text: 'last', terminated: true },
      { offset: 900_012, length: 700_000, text: undefined, terminated: false },
    ]);
  });

  it('holds a bound smaller than its buffer', () => {
    expect(linesOf('abc\nabcd\n', 3).map((line) => line.text)).toEqual(['abc', undefined]);
  });

  it('splits any bytes as a plain split does', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(Buffer.from('\n')),
      fc.integer({ min: 1, max: 400_000 }).map((length) => Buffer.alloc(length, 0x61)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const content = Buffer.concat(pieces);
        expect(linesOf(content)).toEqual(expectedLines(content));
      }),
      { numRuns: 60 },
    );
  });
});
