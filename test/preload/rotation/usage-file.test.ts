import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageFile } from '../../../src/preload/rotation/usage-file.js';
import {
  decodeSlot,
  encodeSlot,
  SLOT_BYTES,
  type UsageSlot,
} from '../../../src/preload/rotation/usage-slot.js';
import { makeTempDir } from '../../support/temp-dir.js';

function slot(number: number, more: Partial<UsageSlot> = {}): UsageSlot {
  return {
    processUid: number.toString(16).padStart(16, '0'),
    pid: 4242,
    fd: 7,
    place: 9,
    hasEnded: false,
    wantsRoom: false,
    calls: 0,
    bytes: 0,
    updatedAt: 1,
    ...more,
  };
}

function opened(session: string, number: number): UsageFile {
  const file = new UsageFile(session, slot(number));
  file.open();
  return file;
}

function publish(file: UsageFile, calls: number): void {
  file.own.calls = calls;
  file.update();
}

function callsOfOthers(file: UsageFile): number[] {
  return file.others().map(({ slot: { calls } }) => calls);
}

describe('a slot', () => {
  it('is read as it was written', () => {
    const slots = fc.record({
      processUid: fc.stringMatching(/^[0-9a-f]{16}$/),
      pid: fc.nat({ max: 2 ** 32 - 1 }),
      fd: fc.integer({ min: -1, max: 1e6 }),
      place: fc.nat({ max: 2 ** 32 - 1 }),
      hasEnded: fc.boolean(),
      wantsRoom: fc.boolean(),
      calls: fc.maxSafeNat(),
      bytes: fc.maxSafeNat(),
      updatedAt: fc.double({ noNaN: true, noDefaultInfinity: true }),
    });
    fc.assert(
      fc.property(slots, (written) => {
        expect(decodeSlot(encodeSlot(written))).toEqual(written);
      }),
    );
  });

  it('is none where a byte of it is another, or a number makes no sense', () => {
    fc.assert(
      fc.property(fc.nat({ max: SLOT_BYTES - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = encodeSlot(slot(1, { calls: 5 }));
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(decodeSlot(bytes)).toBeUndefined();
      }),
    );
    for (const calls of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(decodeSlot(encodeSlot(slot(1, { calls })))).toBeUndefined();
    }
    expect(decodeSlot(Buffer.alloc(SLOT_BYTES))).toBeUndefined();
    expect(decodeSlot(Buffer.alloc(3))).toBeUndefined();
  });
});

describe('the usage file', () => {
  it('shows each thread what the others take, and is readable by its owner alone', () => {
    const session = makeTempDir();
    const files = [1, 2, 3].map((number) => opened(session, number));
    const [first, second] = files;
    if (first === undefined || second === undefined) throw new Error('no file');
    expect(files.map(({ isNew }) => isNew)).toEqual([true, false, false]);
    publish(first, 5);
    publish(second, 7);
    expect(files.map(callsOfOthers)).toEqual([
      [7, 0],
      [5, 0],
      [5, 7],
    ]);
    expect(statSync(join(session, '.usage')).mode & 0o777).toBe(0o600);
    for (const file of files) file.close();
  });

  it.each([
    ['emptied', Buffer.alloc(0)],
    ['noise', Buffer.from('x'.repeat(777))],
    [
      'noise behind a header',
      Buffer.concat([Buffer.from('fir.usage/1\n'.padEnd(SLOT_BYTES, '\0')), Buffer.alloc(SLOT_BYTES, 1)]),
    ],
    ['cut', Buffer.from('fir.usage/1\n'.padEnd(SLOT_BYTES + 3, '\0'))],
  ])('is put in place anew where it was %s, and those that are at work come back', (_how, bytes) => {
    const session = makeTempDir();
    const first = opened(session, 1);
    publish(first, 5);
    writeFileSync(join(session, '.usage'), bytes);
    const second = opened(session, 2);
    expect([second.isNew, callsOfOthers(second)]).toEqual([true, []]);
    publish(first, 6);
    expect([callsOfOthers(first), callsOfOthers(second)]).toEqual([[0], [6]]);
    first.close();
    second.close();
  });

  it('passes over what makes no sense while it is open', () => {
    const session = makeTempDir();
    const file = opened(session, 1);
    appendFileSync(join(session, '.usage'), Buffer.alloc(SLOT_BYTES, 3));
    appendFileSync(join(session, '.usage'), encodeSlot(slot(2, { calls: 4 })));
    expect(callsOfOthers(file)).toEqual([4]);
    file.close();
  });

  it('does not grow with every thread that there ever was', () => {
    const session = makeTempDir();
    for (let number = 1; number <= 1200; number += 1) {
      const file = opened(session, number);
      for (const { index } of file.others()) file.setOther(index, undefined);
      publish(file, 1);
      file.close();
    }
    expect(readFileSync(join(session, '.usage')).length).toBeLessThanOrEqual(515 * SLOT_BYTES);
  });
});
