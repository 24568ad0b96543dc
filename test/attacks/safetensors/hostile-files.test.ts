import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SafetensorsFile, writeSafetensors } from '../../../src/core/safetensors/index.js';
import { entry, faultOf, faultOfFile, placeFile, rawFile } from '../../core/safetensors/raw-file.js';
import { makeTempDir } from '../../support/temp-dir.js';

const MIB = 2 ** 20;

/** What opening a file says is wrong, and the memory that it took. */
function openSparse(start: Uint8Array, fileBytes: number): { fault: string; usedBytes: number } {
  const path = join(makeTempDir(), 'x.safetensors');
  const fd = openSync(path, 'wx');
  writeSync(fd, start);
  ftruncateSync(fd, fileBytes);
  closeSync(fd);
  const before = process.memoryUsage();
  const fault = faultOf(() => SafetensorsFile.open(path)).message;
  const after = process.memoryUsage();
  return { fault, usedBytes: after.rss - before.rss };
}

function lengthBytes(length: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

describe('claimed sizes', () => {
  it.each([2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 32n, 100_000_001n])(
    'does not allocate %d bytes',
    (length) => {
      const { fault, usedBytes } = openSparse(
        Buffer.concat([lengthBytes(length), Buffer.from('{"a"')]),
        2 ** 34,
      );
      expect(fault).toContain('is larger than the 100000000 that are read');
      expect(usedBytes).toBeLessThan(32 * MIB);
    },
  );

  it('does not read a header of zeros, whatever its length', () => {
    const { fault, usedBytes } = openSparse(lengthBytes(100_000_000n), 2 ** 34);
    expect(fault).toContain('not a safetensors file');
    expect(usedBytes).toBeLessThan(32 * MIB);
  });

  it('does not believe a tensor of more bytes than the file', () => {
    const size = 2 ** 49;
    expect(faultOfFile(rawFile(`{${entry('x', 'U8', [size], 0, size)}}`))).toContain(
      'tensor "x": ends at byte 562949953421312 of 0 bytes of data',
    );
  });
});

describe('texts made to be slow or deep', () => {
  it('does not nest the stack away', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(200_000)}1${close.repeat(200_000)}`;
      expect(faultOfFile(rawFile(`{"x":{"y":${deep}}}`))).toContain('tensor "x": nested too deeply');
      expect(faultOfFile(rawFile(deep.replace(/^\[/, '{')))).toBeTypeOf('string');
    }
  });

  it.each([
    ['backslashes', `{"${'\\\\'.repeat(4 * MIB)}":1}`],
    ['escaped quotes', `{"${'\\"'.repeat(4 * MIB)}":1}`],
    ['a string without end', `{"${'\\"'.repeat(4 * MIB)}`],
    ['white space', `{${' '.repeat(8 * MIB)}x`],
    ['digits', `{"x":{"shape":[${'9'.repeat(8 * MIB)}]}}`],
    ['dimensions', `{"x":{"dtype":"U8","shape":[1${',1'.repeat(2 * MIB)}],"data_offsets":[0,2]}}`],
    [
      'metadata',
      `{"__metadata__":{${Array.from({ length: 200_000 }, (_, i) => `"${i}":""`).join()},"7":""}}`,
    ],
  ])('takes linear time over %s, and a short message', (_, header) => {
    const started = performance.now();
    expect(faultOfFile(rawFile(header)).length).toBeLessThan(400);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('takes linear time over many tensors of one name but the last', () => {
    const entries = Array.from({ length: 200_000 }, (_, index) => entry(`k${index}`, 'U8', [0], 0, 0));
    const started = performance.now();
    const fault = faultOfFile(rawFile(`{${[...entries, entry('k7', 'U8', [0], 0, 0)].join()}}`));
    expect(fault).toContain('duplicate tensor name "k7"');
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('things that are no files', () => {
  it('does not wait for a named pipe', () => {
    const path = join(makeTempDir(), 'pipe.safetensors');
    execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
    expect(faultOf(() => SafetensorsFile.open(path)).message).toBe(
      'not a safetensors file (not a regular file)',
    );
  });

  it('does not read a device', () => {
    expect(faultOf(() => SafetensorsFile.open('/dev/zero')).message).toContain('not a regular file');
  });
});

describe('names that are more than names', () => {
  it('keeps keys of an object prototype as plain keys', () => {
    const header = `{"__metadata__":{"__proto__":"m","constructor":"c"},${entry('__proto__', 'U8', [0], 0, 0)}}`;
    const file = SafetensorsFile.open(placeFile(rawFile(header)));
    expect(file.metadata.get('__proto__')).toBe('m');
    expect(file.metadata.get('toString')).toBeUndefined();
    expect(file.entries.get('__proto__')?.shape).toEqual([0]);
    expect(({} as Record<string, unknown>)['shape']).toBeUndefined();
    file.close();
  });

  it('keeps control characters of a name out of its messages', () => {
    const fault = faultOfFile(rawFile(`{${entry('\u001b[31m\n', 'U8', [2], 0, 1)}}`, Uint8Array.of(0)));
    expect(fault).toContain('tensor "\\u001b[31m\\n"');
  });
});

describe('links in the way of a writer', () => {
  it('replaces a link, and does not write through it', () => {
    const dir = makeTempDir();
    const victim = join(dir, 'victim');
    const path = join(dir, 'x.safetensors');
    writeFileSync(victim, 'mine');
    symlinkSync(victim, path);
    writeSafetensors(path, [{ key: 'x', dtype: 'U8', shape: [1], data: Uint8Array.of(1) }]);
    expect(readFileSync(victim, 'utf8')).toBe('mine');
    SafetensorsFile.open(path).close();
  });
});
