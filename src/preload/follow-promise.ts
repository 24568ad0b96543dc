/** Promises that were followed, to what the program got for them: one that is returned again stays the same one. */
const followers = new WeakMap<Promise<unknown>, Promise<unknown>>();

/**
 * A promise that settles as the original does, after `fulfilled` or `rejected` has seen the outcome. A derived promise
 * goes to the program, since a handler on the original would mark its rejection as handled. Throws where the class of
 * the promise lets none be derived.
 */
export function followPromise(
  promise: Promise<unknown>,
  fulfilled: (value: unknown) => void,
  rejected: (error: unknown) => void,
): Promise<unknown> {
  const known = followers.get(promise);
  if (known !== undefined) {
    Promise.prototype.then.call(promise, fulfilled, rejected);
    return known;
  }
  const followed: Promise<unknown> = Promise.prototype.then.call(
    promise,
    (value: unknown) => {
      fulfilled(value);
      return value;
    },
    (error: unknown) => {
      rejected(error);
      throw error;
    },
  );
  // A library may hang methods on its promises (`cancel`): they go along.
  if (Reflect.ownKeys(promise).length > 0) {
    Object.defineProperties(followed, Object.getOwnPropertyDescriptors(promise));
  }
  followers.set(promise, followed);
  return followed;
}
