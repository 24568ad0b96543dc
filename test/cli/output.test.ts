import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output } from '../../src/cli/output.js';

/** Fails its second chunk with a code. */
function failingStream(code: string): Writable {
  let chunks = 0;
  return new Writable({
    write(_chunk, _encoding, done) {
      chunks += 1;
      done(chunks > 1 ? Object.assign(new Error(`write ${code}`), { code }) : null);
    },
  });
}

test('a slow reader holds the writer back', async () => {
  const chunks: string[] = [];
  let release: () => void = () => undefined;
  const slow = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      release = done;
    },
  });
  const output = new Output(slow);
  let isWritten = false;
  const written = output.write('x'.repeat(70_000)).then(() => {
    isWritten = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect({ isWritten, chunks: chunks.length }).toEqual({ isWritten: false, chunks: 1 });
  release();
  await written;
});

test('small pieces are gathered until they are flushed', async () => {
  const stream = new PassThrough();
  const output = new Output(stream);
  await output.write('one ');
  await output.write('two');
  expect(stream.read()).toBeNull();
  await output.flush();
  expect(String(stream.read())).toBe('one two');
});

test('a reader that has gone closes the output without an error', async () => {
  const output = new Output(failingStream('EPIPE'));
  await output.write('x'.repeat(70_000));
  await output.write('x'.repeat(70_000));
  expect(output.isClosed).toBe(true);
  await output.write('x'.repeat(70_000));
  await output.end();
});

test('a full disk is an error of the next write', async () => {
  const output = new Output(failingStream('ENOSPC'));
  await output.write('x'.repeat(70_000));
  await expect(output.write('x'.repeat(70_000))).rejects.toThrow('ENOSPC');
});
