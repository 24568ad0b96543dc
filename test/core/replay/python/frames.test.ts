import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrameHead, type Frame, FrameReader } from '../../../../src/core/replay/python/frames.js';

const MARK = '00112233445566778899aabbccddeeff';

function framesOf(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader(MARK, (frame) => frames.push(frame));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

/** The bytes in pieces, which end at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test('frames come out as they went in, wherever the stream is cut', () => {
  const frame = fc.record({ json: fc.json(), payload: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(5000)), (sent, places) => {
      const bytes = Buffer.concat(
        sent.flatMap(({ json, payload }) => [encodeFrameHead(MARK, json, payload.length), payload]),
      );
      const received = framesOf(cut(bytes, places));
      expect(received.map(({ json }) => json)).toEqual(sent.map(({ json }) => json));
      expect(received.map(({ payload }) => [...payload])).toEqual(sent.map(({ payload }) => [...payload]));
    }),
  );
});

describe('what the called code writes to the pipe', () => {
  test('is no frame', () => {
    expect(() => framesOf([Buffer.from('{"ok":true} and some more text')])).toThrow(/wrote to the pipe/);
  });

  test('is not waited for where it claims to be endless', () => {
    const head = encodeFrameHead(MARK, '{}', 0);
    head.writeBigUInt64LE(2n ** 60n, 20);
    expect(() => framesOf([head])).toThrow(/wrote to the pipe/);
  });
});
