import { describe, expect, it } from 'vitest';
import { followPromise } from '../../src/preload/follow-promise.js';

function follow(promise: Promise<unknown>): { followed: Promise<unknown>; seen: unknown[] } {
  const seen: unknown[] = [];
  const followed = followPromise(
    promise,
    (value) => seen.push(['fulfilled', value]),
    (error) => seen.push(['rejected', error]),
  );
  return { followed, seen };
}

describe('followPromise', () => {
  it('has seen the value when the program gets it', async () => {
    const value = {};
    const { followed, seen } = follow(Promise.resolve(value));
    expect(await followed).toBe(value);
    expect(seen).toEqual([['fulfilled', value]]);
  });

  it('rejects with the very same reason', async () => {
    const reason = new Error('no');
    const { followed, seen } = follow(Promise.reject(reason));
    await expect(followed).rejects.toBe(reason);
    expect(seen).toEqual([['rejected', reason]]);
  });

  it('keeps properties, getters and the class of the promise', async () => {
    class OwnPromise extends Promise<number> {}
    const promise = Object.defineProperties(OwnPromise.resolve(1), {
      cancel: { value: () => 'cancelled', enumerable: true },
      state: { get: () => 'open' },
    });
    const { followed } = follow(promise);
    expect(followed).toBeInstanceOf(OwnPromise);
    expect(Reflect.get(followed, 'cancel')()).toBe('cancelled');
    expect(Reflect.get(followed, 'state')).toBe('open');
    expect(Object.keys(followed)).toEqual(['cancel']);
    await followed;
  });

  it('gives the same promise for one that comes again, and sees each of its ends', async () => {
    const promise = Promise.resolve('cached');
    const [first, second] = [follow(promise), follow(promise)];
    expect(second.followed).toBe(first.followed);
    await second.followed;
    await new Promise(setImmediate);
    expect([first.seen, second.seen]).toEqual([[['fulfilled', 'cached']], [['fulfilled', 'cached']]]);
  });

  it('leaves a rejection of a promise that comes again as unhandled as it was: once', async () => {
    const reasons: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => reasons.push(reason));
    const promise = Promise.reject('nobody cares');
    const [first, second] = [follow(promise), follow(promise)];
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
    expect(reasons).toEqual(['nobody cares']);
    expect([first.seen.length, second.seen.length]).toEqual([1, 1]);
  });

  it('does not run a then that the program put in place of the own one', async () => {
    const promise = Promise.resolve(5);
    Object.defineProperty(promise, 'then', { value: () => expect.unreachable() });
    const { seen } = follow(promise);
    await new Promise(setImmediate);
    expect(seen).toEqual([['fulfilled', 5]]);
  });
});
