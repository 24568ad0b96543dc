import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprint, roundTrip } from './round-trip.js';

/** How to make one object; `links` are numbers of other objects, this one and later ones included. */
interface Recipe {
  kind: 'list' | 'dict' | 'bare' | 'map' | 'set' | 'sparse' | 'error' | 'named list';
  leaves: unknown[];
  links: number[];
  names: string[];
}

const leaf = fc.oneof(
  fc.double(),
  fc.constantFrom(
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    undefined,
    null,
    true,
    false,
    2 ** 60,
    Symbol.iterator,
  ),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: false }),
  fc.string().map((key) => Symbol.for(key)),
  fc.constantFrom('a+', '\\/', '[^x]').map((source) => new RegExp(source, 'gi')),
  fc.webUrl().map((url) => new URL(url)),
  fc.constantFrom(1, 'boxed', true).map((value) => Object(value)),
);
const name = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'type', 'tensor_key', 'toString', 'then', '7', 'repr', 'items'),
);
const recipe: fc.Arbitrary<Recipe> = fc.record({
  kind: fc.constantFrom('list', 'dict', 'bare', 'map', 'set', 'sparse', 'error', 'named list'),
  leaves: fc.array(leaf, { maxLength: 4 }),
  links: fc.array(fc.nat(), { maxLength: 4 }),
  names: fc.array(name, { minLength: 8, maxLength: 8 }),
});

function define(target: object, name: string | undefined, value: unknown): void {
  Object.defineProperty(target, name ?? '', { value, writable: true, enumerable: true, configurable: true });
}

function makeObject({ kind }: Recipe): object {
  if (kind === 'map') return new Map();
  if (kind === 'set') return new Set();
  if (kind === 'error') return new RangeError('out of range');
  if (kind === 'bare') return Object.create(null);
  return kind === 'dict' ? {} : [];
}

function fill(target: object, { kind, names }: Recipe, children: readonly unknown[]): void {
  children.forEach((child, position) => {
    if (target instanceof Map)
      target.set(position % 2 === 0 ? child : names[position], children.at(-1 - position));
    else if (target instanceof Set) target.add(child);
    else if (Array.isArray(target) && kind === 'sparse') target[position * 3 + 1] = child;
    else if (Array.isArray(target)) target.push(child);
    else define(target, names[position], child);
  });
  if (kind === 'named list') define(target, 'index', children.length);
  if (kind === 'sparse' && Array.isArray(target)) target.length += 5;
}

function build(recipes: readonly Recipe[]): object[] {
  const objects = recipes.map(makeObject);
  recipes.forEach((each, index) => {
    const linked = each.links.map((link) => objects[link % objects.length]);
    fill(objects[index] ?? {}, each, [...each.leaves, ...linked]);
  });
  return objects;
}

test('every graph of plain data comes back with its contents, sharing and cycles', () => {
  fc.assert(
    fc.property(fc.array(recipe, { minLength: 1, maxLength: 8 }), (recipes) => {
      const objects = build(recipes);
      const { values, encoder } = roundTrip(objects);
      expect(encoder.problems).toEqual([]);
      expect(fingerprint(values)).toBe(fingerprint(objects));
    }),
    { numRuns: 500 },
  );
});

test('scalars come back as they were', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.bigInt(), fc.string({ unit: 'binary' }), fc.boolean()), (value) => {
      expect(roundTrip([value]).values[0]).toBe(value);
    }),
  );
});

test('a plain object with the properties of an encoded value is still a plain object', () => {
  const value = {
    type: 'js.date',
    value: 0,
    items: [{ type: 'torch.Tensor', tensor_key: 'arg_0' }],
    repr: 'x',
  };
  expect(roundTrip([value]).values[0]).toStrictEqual(value);
});

test('an argument may hold what stood in an earlier argument', () => {
  const shared = { rows: [1, 2] };
  const { values, encoded } = roundTrip([[shared], { again: shared, rows: shared.rows }]);
  const [first, second] = values as [{ rows: number[] }[], { again: object; rows: object }];
  expect(second.again).toBe(first[0]);
  expect(second.rows).toBe(first[0]?.rows);
  expect(encoded[1]).toMatchObject({
    items: [{ value: { type: 'js.ref', key: 'arg_0__0' } }, { value: { key: 'arg_0__0__value_0' } }],
  });
});

test('a diamond of many levels stays small', () => {
  let value: unknown = ['leaf'];
  for (let level = 0; level < 300; level += 1) value = [value, value];
  const { values, encoded, encoder } = roundTrip([value]);
  expect(encoder.problems).toEqual([]);
  expect(JSON.stringify(encoded).length).toBeLessThan(500_000);
  expect(fingerprint(values[0])).toBe(fingerprint(value));
});

test('errors come back as their built-in class, with cause, code and own name', () => {
  const failure = Object.assign(new TypeError('bad', { cause: new Error('why') }), {
    code: 'E_BAD',
    name: 'Odd',
  });
  const many = new AggregateError([failure, 1], 'many');
  const [one, all] = roundTrip([failure, many]).values as [TypeError & { code: string }, AggregateError];
  expect(one).toBeInstanceOf(TypeError);
  expect([one.message, one.code, one.name, Object.keys(one)]).toEqual([
    'bad',
    'E_BAD',
    'Odd',
    ['code', 'name'],
  ]);
  expect(one.cause).toBeInstanceOf(Error);
  expect(Object.getOwnPropertyDescriptor(one, 'cause')?.enumerable).toBe(false);
  expect(all).toBeInstanceOf(AggregateError);
  expect(all.errors).toEqual([one, 1]);
});

test('symbols as property names, and the place of the next match, are kept', () => {
  const pattern = /a/y;
  pattern.lastIndex = 3;
  const [value] = roundTrip([{ [Symbol.for('k')]: 1, [Symbol.toStringTag]: 'Tag', pattern }]).values;
  expect(Reflect.ownKeys(Object(value))).toEqual(['pattern', Symbol.for('k'), Symbol.toStringTag]);
  expect(Reflect.get(Object(value), 'pattern').lastIndex).toBe(3);
});

test('an array of nothing but holes is small, and its length comes back', () => {
  const { values, encoded } = roundTrip([new Array(900_000)]);
  expect(values[0]).toHaveLength(900_000);
  expect(Object.keys(Object(values[0]))).toEqual([]);
  expect(encoded[0]).toEqual({
    type: 'list',
    length: 900_000,
    items: [{ type: 'js.hole', count: 900_000 }],
    truncated: false,
  });
});
