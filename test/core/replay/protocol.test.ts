import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutputCapture } from '../../../src/core/replay/output-capture.js';
import { encodeMessage, MessageReader, type WorkerMessage } from '../../../src/core/replay/protocol.js';

const READY: WorkerMessage = { type: 'ready' };

function read(bytes: Buffer, sizes: readonly number[]): WorkerMessage[] {
  const messages: WorkerMessage[] = [];
  const reader = new MessageReader<WorkerMessage>('mark', (message) => messages.push(message));
  let at = 0;
  for (const size of sizes) {
    reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  reader.push(bytes.subarray(at));
  return messages;
}

describe('messages', () => {
  test('come through whole whatever the pieces and the noise between them', () => {
    const noise = fc.stringMatching(/^[^\n]*$/).filter((text) => !text.startsWith('mark '));
    fc.assert(
      fc.property(
        fc.array(noise, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60 })),
        (texts, sizes) => {
          const pieces = texts.map((text) => `${text}${encodeMessage(READY, 'mark')}`);
          const bytes = Buffer.from(pieces.join(''));
          expect(read(bytes, sizes)).toEqual(texts.map(() => READY));
        },
      ),
    );
  });

  test('keep what JSON would lose', () => {
    const message: WorkerMessage = {
      type: 'outcome',
      id: 1,
      outcome: {
        verdict: 'mismatch',
        outputs: [
          { key: 'r', kind: 'value', verdict: 'mismatch', actual: -0, expected: 2n ** 63n, rmse: Number.NaN },
        ],
        notes: [],
        onceNotes: [],
        ranAsRecorded: true,
      },
    };
    expect(read(Buffer.from(encodeMessage(message, 'mark')), [])).toEqual([message]);
  });

  test('of another pair are not ours', () => {
    expect(read(Buffer.from(encodeMessage(READY, 'other')), [])).toEqual([]);
  });
});

describe('the output of a call', () => {
  const MARK = '\0mark 1\0';

  test('ends at its mark, in whatever pieces that comes', async () => {
    for (let cut = 0; cut < 20; cut++) {
      const bytes = Buffer.from(`before${MARK}after`);
      const capture = new OutputCapture(undefined);
      capture.expect(1, MARK);
      capture.push(bytes.subarray(0, cut));
      capture.push(bytes.subarray(cut));
      expect(await capture.take(1)).toBe('before');
      capture.expect(2, '\0mark 2\0');
      capture.push(Buffer.from('\0mark 2\0'));
      expect(await capture.take(2)).toBe('after');
    }
  });

  test('is kept at its end, and what was before that is counted', async () => {
    const capture = new OutputCapture(undefined);
    capture.expect(1, MARK);
    for (let line = 0; line < 20_000; line++) capture.push(Buffer.from(`${String(line).padStart(9, '0')}\n`));
    capture.push(Buffer.from(MARK));
    const text = (await capture.take(1)) ?? '';
    expect(text.startsWith(`… ${200_000 - 64 * 1024} bytes before this\n`)).toBe(true);
    expect(text.endsWith('000019999\n')).toBe(true);
  });

  test('is what came where no mark comes', async () => {
    const capture = new OutputCapture(undefined);
    capture.expect(1, MARK);
    capture.push(Buffer.from('last words'));
    expect(await capture.take(1)).toBe('last words');
    expect(await capture.take(1)).toBeUndefined();
  });

  test('is told apart where several calls ended before anybody asked', async () => {
    const capture = new OutputCapture(undefined);
    for (const id of [1, 2, 3, 4]) capture.expect(id, `\0mark ${id}\0`);
    capture.push(Buffer.from('one\0mark 1\0two\0mark 2\0\0mark 3\0fo'));
    expect(await capture.take(1)).toBe('one');
    capture.push(Buffer.from('ur\0mark 4\0'));
    // What nobody asked for stands in nobody's way.
    expect(await capture.take(3)).toBeUndefined();
    expect(await capture.take(2)).toBeUndefined();
    expect(await capture.take(4)).toBe('four');
  });

  test('of a call whose mark never came does not hold up the next one', async () => {
    const capture = new OutputCapture(undefined);
    for (const id of [1, 2]) capture.expect(id, `\0mark ${id}\0`);
    capture.push(Buffer.from('one'));
    expect(await capture.take(1)).toBe('one');
    capture.push(Buffer.from('two\0mark 2\0'));
    expect(await capture.take(2)).toBe('two');
  });
});
