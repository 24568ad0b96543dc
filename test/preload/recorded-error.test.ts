import { describe, expect, it } from 'vitest';
import { ValueEncoder } from '../../src/core/values/index.js';
import { recordedError } from '../../src/preload/recorded-error.js';

function record(thrown: unknown) {
  return recordedError(thrown, new ValueEncoder());
}

describe('recordedError', () => {
  it('keeps name, message and stack of an error', () => {
    const error = new RangeError('too far');
    expect(record(error)).toEqual({ name: 'RangeError', message: 'too far', stack: error.stack });
  });

  it('reads names that a class has as a getter, and passes over those that throw or are no text', () => {
    class Named extends Error {
      override get name() {
        return 'Named';
      }
    }
    class Broken extends Error {
      override get name(): string {
        throw new Error('no name');
      }
    }
    expect(record(new Named('a'))).toMatchObject({ name: 'Named', message: 'a' });
    expect(record(new Broken('b'))).toMatchObject({ name: 'Error', message: 'b' });
    expect(record(Object.assign(new Error('c'), { message: 12, stack: null }))).toEqual({
      name: 'Error',
      message: '',
    });
  });

  it.each([
    ['text', 'string', 'text'],
    [undefined, 'undefined', 'undefined'],
    [null, 'object', 'null'],
    [42n, 'bigint', '42'],
    [Symbol('s'), 'symbol', 'Symbol(s)'],
  ])('keeps %s, which is no error, as a value', (thrown, name, message) => {
    const value = new ValueEncoder().encode(thrown, 'error');
    expect(record(thrown)).toEqual({ name, message, value });
  });

  it('runs no code of an object to tell what it is', () => {
    const thrown = { toString: () => expect.unreachable(), code: 5 };
    expect(record(thrown)).toMatchObject({ name: 'object', message: 'a thrown object' });
    expect(record(Object.create(null))).toMatchObject({ name: 'object', value: { type: 'dict' } });
  });
});
