import { describe, expect, it } from 'vitest';
import { ValueEncoder } from '../../src/core/values/index.js';
import { ContainerChecks } from '../../src/preload/container-checks.js';
import { encodeArguments } from '../../src/preload/encode-arguments.js';
import { type RecordedFunction, rolesFrom } from '../../src/preload/recorded-function.js';

const fn: RecordedFunction = {
  name: 'fn',
  module: 'm',
  kind: 'function',
  signature: '()',
  resolve: { current: undefined },
};

/** Which arguments the checks see changed after `change` has run. */
function changedBy(args: unknown[], change: () => void, recorded = fn): string[] {
  const { metadata } = encodeArguments(recorded, args, new ValueEncoder());
  const checks = new ContainerChecks(recorded, args, metadata);
  change();
  return Object.keys(checks.changes(() => new ValueEncoder()).changed);
}

describe('ContainerChecks', () => {
  it('sees what was put in, taken out or changed deep inside', () => {
    const args = [[1], { a: { b: 1 } }, new Map([[1, 2]]), new Set([1]), 5, 'text', null];
    const change = (): void => {
      Reflect.set(args[1] as object, 'a', { b: 2 });
      (args[2] as Map<number, number>).clear();
    };
    expect(changedBy(args, change)).toEqual(['arg_1', 'arg_2']);
  });

  it('sees no change where two arguments share an object, or one holds itself', () => {
    const shared = { value: 1 };
    const circle: unknown[] = [shared];
    circle.push(circle);
    expect(changedBy([[shared], { shared }, circle], () => undefined)).toEqual([]);
  });

  it('sees a change of a shared object once, where it is written out', () => {
    const shared = { value: 1 };
    const change = (): void => {
      shared.value = 2;
    };
    expect(changedBy([[shared], { shared }], change)).toEqual(['arg_0']);
  });

  it('tells what an async call did before it returned from what happened while it was pending', () => {
    const [early, late, undone]: number[][] = [[], [], []];
    const args = [early, late, undone];
    const { metadata } = encodeArguments(fn, args, new ValueEncoder());
    const checks = new ContainerChecks(fn, args, metadata);
    early?.push(1);
    undone?.push(1);
    checks.noteReturn(() => new ValueEncoder());
    late?.push(1);
    undone?.pop();
    const { changed, pendingKeys } = checks.changes(() => new ValueEncoder());
    expect(Object.keys(changed)).toEqual(['arg_0', 'arg_1']);
    expect(pendingKeys).toEqual(['arg_1', 'arg_2']);
  });

  it('leaves alone what is only read, by its role', () => {
    const options: Record<string, number> = { a: 1 };
    const declared = { ...fn, roleOf: rolesFrom({ arg_0: 'in' }) };
    const change = (): void => {
      options['a'] = 2;
    };
    expect(changedBy([options], change, declared)).toEqual([]);
  });
});
