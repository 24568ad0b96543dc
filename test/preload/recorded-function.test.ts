import { describe, expect, it } from 'vitest';
import {
  declaredRoles,
  isChecked,
  type RecordedFunction,
  readsThis,
  roleOf,
  rolesFrom,
  signatureOf,
} from '../../src/preload/recorded-function.js';

describe('rolesFrom', () => {
  const role = rolesFrom({ arg_0: 'out', arg_1__value_0: 'in', arg_2: 'scratch' });

  it.each([
    ['arg_0', 'out'],
    ['arg_0__3', 'out'],
    ['arg_0__value_1__2', 'out'],
    ['arg_1', 'unknown'],
    ['arg_1__value_0', 'in'],
    ['arg_1__value_1', 'unknown'],
    ['arg_2__key_0', 'scratch'],
    ['arg_20', 'unknown'],
    ['toString', 'unknown'],
    ['__proto__', 'unknown'],
  ])('gives %s the role %s', (key, expected) => {
    expect(role(key)).toBe(expected);
  });
});

describe('roles of a function', () => {
  const fn: RecordedFunction = {
    name: 'fn',
    module: 'm',
    kind: 'function',
    signature: '()',
    resolve: { current: undefined },
  };

  it('are unknown where none are declared, and then nothing is said of them', () => {
    expect(roleOf(fn, 'arg_0')).toBe('unknown');
    expect(declaredRoles(fn, ['arg_0'])).toBeUndefined();
  });

  it('are told for the keys that have one', () => {
    const declared = { ...fn, roleOf: rolesFrom({ arg_1: 'in' }) };
    expect(declaredRoles(declared, ['arg_0', 'arg_1'])).toEqual({ arg_1: 'in' });
  });

  it('decide what is checked after the call', () => {
    const roles = ['in', 'out', 'inout', 'scratch', 'unknown'] as const;
    expect(roles.filter(isChecked)).toEqual(['inout', 'unknown']);
  });
});

describe('readsThis', () => {
  it.each([
    ['function () { return this.x; }', true],
    ['async function named() { return this; }', true],
    ['function () { return 1; }', false],
    ['(a) => this.x + a', false],
    ['async a => this.x + a', false],
    ['async (a) => this.x', false],
    ['({ async method() { return this.x; } }).method', true],
    ['({ method() { return this.x; } }).method', true],
    ['(function () { return this; }).bind(null)', false],
  ])('of %s: %s', (source, expected) => {
    expect(readsThis(new Function(`return (${source})`)())).toBe(expected);
  });
});

describe('signatureOf', () => {
  const methods = {
    async *generator(first: number, ...rest: number[]) {
      yield [first, rest];
    },
  };

  it.each([
    [(a: number, b: number) => a + b, '(a, b)'],
    [
      function named(a: number, b = (1 + 2) * 3) {
        return a + b;
      },
      '(a, b = (1 + 2) * 3)',
    ],
    [async (value: number) => value, '(value)'],
    [new Function('return (async x => x)')(), '(x)'],
    [methods.generator, '(first, ...rest)'],
    [Math.max, '(...)'],
    [class {}, '()'],
    [
      class {
        value: number;
        constructor(value: number) {
          this.value = value;
        }
      },
      '(value)',
    ],
    ['no function', '()'],
  ])('reads %s', (callable, signature) => {
    expect(signatureOf(callable)).toBe(signature);
  });
});
