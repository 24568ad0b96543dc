import vm from 'node:vm';
import { expect, test } from 'vitest';
import type { TensorSource } from '../../../src/core/model/tensor.js';
import { type EncodeContext, ValueEncoder } from '../../../src/core/values/index.js';
import { fingerprint, roundTrip } from './round-trip.js';

function encode(value: unknown, context?: EncodeContext) {
  const encoder = new ValueEncoder(context);
  return { encoded: encoder.encode(value, 'arg_0'), encoder };
}

const sparse: unknown[] = [1];
sparse[2] = 2;

test.each<[value: unknown, encoded: unknown]>([
  [null, null],
  [true, true],
  [2 ** 60, 2 ** 60],
  ['NaN', 'NaN'],
  [undefined, { type: 'js.undefined' }],
  [Number.NaN, { type: 'js.number', value: 'NaN' }],
  [Number.NEGATIVE_INFINITY, { type: 'js.number', value: '-Infinity' }],
  [-0, { type: 'js.number', value: '-0' }],
  [-5n, { type: 'js.bigint', value: '-5' }],
  [Symbol.for('a'), { type: 'js.symbol', registered: 'a' }],
  [Symbol.iterator, { type: 'js.symbol', well_known: 'iterator' }],
  [new Date(5), { type: 'js.date', value: 5 }],
  [new Date(Number.NaN), { type: 'js.date', value: 'invalid' }],
  [/a\/b/dgimsuy, { type: 'js.regexp', source: 'a\\/b', flags: 'dgimsuy' }],
  [new Set(['x']), { type: 'js.set', length: 1, items: ['x'], truncated: false }],
  [new Map([['k', 1]]), { type: 'js.map', length: 1, entries: [{ key: 'k', value: 1 }], truncated: false }],
  [sparse, { type: 'list', length: 3, items: [1, { type: 'js.hole' }, 2], truncated: false }],
  [
    { a: [] },
    {
      type: 'dict',
      length: 1,
      items: [{ key: 'a', value: { type: 'list', length: 0, items: [], truncated: false } }],
      truncated: false,
    },
  ],
  [Object.create(null), { type: 'dict', length: 0, items: [], truncated: false, js: 'null_prototype' }],
  [new RangeError('far'), { type: 'js.error', name: 'RangeError', message: 'far' }],
  [new URL('http://h/p?q=1'), { type: 'js.url', value: 'http://h/p?q=1' }],
  [new URLSearchParams('a=1&a=2'), { type: 'js.url_search_params', value: 'a=1&a=2' }],
  [Object(3n), { type: 'js.boxed', value: { type: 'js.bigint', value: '3' } }],
])('%o is encoded without a problem', (value, expected) => {
  const { encoded, encoder } = encode(value);
  expect(encoded).toEqual(expected);
  expect(encoder.problems).toEqual([]);
  expect(encoder.truncated).toBe(false);
});

class Model {
  weights = 1;
}
class OwnList extends Array {}
class OwnMap extends Map {}

test.each<[problem: string, value: unknown, node?: unknown]>([
  [
    'arg_0.onProgress is a function',
    { onProgress: () => 1 },
    { type: 'Function', repr: '[Function: onProgress]' },
  ],
  [
    'arg_0.f is a function',
    { f: async function* named() {} },
    { type: 'AsyncGeneratorFunction', repr: '[AsyncGeneratorFunction: named]' },
  ],
  ['arg_0[1][0] is an object of class Model', [0, [new Model()]]],
  ['arg_0["odd name"] is an object of class Promise', { 'odd name': Promise.resolve() }],
  ['arg_0 is an object of class WeakMap', new WeakMap(), { type: 'WeakMap', repr: '[object WeakMap]' }],
  ['arg_0 is an object of class OwnList', new OwnList()],
  ['arg_0 is an object of class OwnMap', new OwnMap()],
  ['arg_0 is an object of class anonymous class', new (class {})()],
  ['arg_0.k is an object of class Model', new Map([['k', new Model()]])],
  ['arg_0[0] is an object of class Model', new Map([[{}, new Model()]])],
  ['arg_0 is a symbol that is not registered', Symbol('mine'), { type: 'symbol', repr: 'Symbol(mine)' }],
  ['arg_0[Symbol(key)] is a symbol that is not registered', { [Symbol('key')]: 1 }],
  ['arg_0 is an object of class Date', Object.create(Date.prototype)],
  ['arg_0 is an object of class Map', Object.create(Map.prototype)],
  ['arg_0 is an object of class URL', Object.create(URL.prototype)],
  ['arg_0 is an object with a prototype of its own', Object.create({ inherited: 1 })],
  ['arg_0 is an object of class Array', Object.assign(Object.create(Array.prototype), { 0: 1 })],
  ['arg_0 is an arguments object', vm.runInThisContext('(function () { return arguments; })(1)')],
  ['arg_0 is an object of class DOMException', new DOMException('no')],
])('%s', (problem, value, node) => {
  const { encoded, encoder } = encode(value);
  expect(encoder.problems).toEqual([problem]);
  if (node !== undefined) expect(JSON.stringify(encoded)).toContain(JSON.stringify(node));
});

test('an error of the program’s own class keeps its name and message, and is a problem', () => {
  class HttpError extends Error {
    override name = 'HttpError';
    status = 404;
  }
  const { encoded, encoder } = encode(new HttpError('gone'));
  expect(encoder.problems).toEqual(['arg_0 is an object of class HttpError']);
  expect(encoded).toMatchObject({ type: 'js.error', name: 'HttpError', message: 'gone' });
});

test('values of another realm are plain data too', () => {
  const source =
    '({ list: [1], map: new Map([[1, 2]]), at: new Date(3), re: /x/g, bad: new TypeError("t"), box: Object(1) })';
  const { values, encoder } = roundTrip([vm.runInNewContext(source)]);
  expect(encoder.problems).toEqual([]);
  expect(fingerprint(values[0])).toBe(fingerprint(vm.runInThisContext(source)));
});

test('nothing of a value runs', () => {
  const boom = () => {
    throw new Error('must not run');
  };
  const traps = new Proxy({}, { get: () => boom });
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const list: unknown[] = [1, 2];
  Object.defineProperty(list, 1, { get: boom, enumerable: true });
  const own = (target: object, ...names: PropertyKey[]) => {
    for (const name of names) Object.defineProperty(target, name, { get: boom });
    return target;
  };
  const values = {
    getter: Object.defineProperty({}, 'x', { get: boom, enumerable: true }),
    list,
    trapped: new Proxy({}, traps),
    revoked: proxy,
    called: new Proxy(boom, traps),
    below: Object.create(new Proxy({}, traps)),
    named: own(() => 1, 'name', 'toString', 'constructor'),
    made: Object.create(own({}, 'constructor')),
    converted: Object.fromEntries(['toJSON', 'toString', 'valueOf', 'then'].map((name) => [name, boom])),
    map: own(new Map([[1, 2]]), 'size', 'entries', Symbol.iterator, 'constructor', Symbol.toStringTag),
    set: own(new Set([1]), 'size', 'values', Symbol.iterator),
    date: own(new Date(1), 'getTime', 'valueOf', Symbol.toPrimitive),
    pattern: own(/x/g, 'source', 'flags', 'global'),
    failure: own(new Error('real'), 'stack', 'message', 'name', 'cause'),
    boxed: own(Object(1), 'valueOf', Symbol.toPrimitive),
  };
  const { encoded, encoder } = encode(values);
  expect(encoder.problems).toEqual([
    'arg_0.getter.x is a getter, which is not run',
    'arg_0.list[1] is a getter, which is not run',
    'arg_0.trapped is a Proxy, which is not looked into',
    'arg_0.revoked is a Proxy, which is not looked into',
    'arg_0.called is a Proxy, which is not looked into',
    'arg_0.below is an object of class anonymous class',
    'arg_0.named is a function',
    'arg_0.made is an object of class anonymous class',
    'arg_0.converted.toJSON is a function',
    'arg_0.converted.toString is a function',
    'arg_0.converted.valueOf is a function',
    'arg_0.converted.then is a function',
    'arg_0.failure.name is a getter, which is not run',
    'arg_0.failure.cause is a getter, which is not run',
  ]);
  expect(encoded).toMatchObject({ type: 'dict', length: 15 });
});

test('recorded objects and tensors of a library are asked for, and only once each', () => {
  const session = new Model();
  const tensor = new Model();
  const source: TensorSource = {
    dtype: 'bool',
    shape: [2, 2],
    stride: [2, 1],
    storage: tensor,
    storageBytes: 4,
    byteOffset: 0,
    bytes: new Uint8Array(4),
    contiguous: true,
    device: 'cuda:1',
    host: 'lib.Tensor',
  };
  const { encoded, encoder } = encode([session, { tensor }], {
    objectRef: (value) => (value === session ? { self_id: 7, class: 'Session' } : undefined),
    describeTensor: (value) => (value === tensor ? source : undefined),
  });
  expect(encoder.problems).toEqual([]);
  expect(encoded).toMatchObject({
    items: [
      { type: 'js.object_ref', self_id: 7, class: 'Session' },
      {
        items: [
          {
            value: { shape: [2, 2], dtype: 'torch.bool', device: 'cuda:1', tensor_key: 'arg_0__1__value_0' },
          },
        ],
      },
    ],
  });
  expect(encoder.tensors.get('arg_0__1__value_0')).toBe(source);
});

test('a failing hook is a problem of that argument alone', () => {
  const encoder = new ValueEncoder({
    describeTensor: () => {
      throw new Error('disposed');
    },
  });
  expect(encoder.encode({ a: 1 }, 'arg_0')).toMatchObject({ type: 'dict', length: 1 });
  expect(encoder.problems).toEqual(['arg_0 is a tensor that could not be described: disposed']);
  const other = new ValueEncoder({
    objectRef: () => {
      throw 'no error';
    },
  });
  expect(other.encode({}, 'arg_1')).toEqual({ type: 'unknown', repr: '[unreadable]' });
  expect(other.encode(1, 'arg_2')).toBe(1);
  expect(other.problems).toEqual(['arg_1 is not readable']);
});

test('a thousand problems are listed in part', () => {
  const { encoder } = encode(Array.from({ length: 1000 }, () => () => 1));
  expect(encoder.problems).toHaveLength(33);
  expect(encoder.problems.at(-1)).toBe('and more that is not listed');
});
