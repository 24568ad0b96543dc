const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map<string, ErrorConstructor>([
  ['TypeError', TypeError],
  ['RangeError', RangeError],
  ['SyntaxError', SyntaxError],
  ['ReferenceError', ReferenceError],
  ['EvalError', EvalError],
  ['URIError', URIError],
]);

/** An error of the built-in class of that name, else an Error that is only called so. */
export function decodeError(name: string, message: string): Error {
  if (name === 'AggregateError') return new AggregateError([], message);
  const known = ERROR_CLASSES.get(name);
  if (known !== undefined) return new known(message);
  const error = new Error(message);
  if (name !== 'Error')
    Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  return error;
}
