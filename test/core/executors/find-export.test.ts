import { describe, expect, test } from 'vitest';
import { findExport, findMethod, findStatic } from '../../../src/core/executors/find-export.js';

class Base {
  static make(): string {
    return 'made';
  }

  run(): string {
    return 'base';
  }

  get lazy(): () => string {
    throw new Error('a getter was run');
  }
}

class Derived extends Base {
  own = (): string => 'own';
}

const exports = {
  gemm: () => 'gemm',
  Base,
  Derived,
  ops: {
    add: () => 'add',
    get lazy() {
      throw new Error('a getter was run');
    },
  },
  default: { inner: () => 'inner', default: () => 'transpiled' },
};

describe('an export', () => {
  test.each([
    ['gemm', 'gemm'],
    ['ops.add', 'add'],
    ['Base.make', 'made'],
    ['inner', 'inner'],
    ['default', 'transpiled'],
  ])('%s is found', (path, gives) => {
    const { value, owner } = findExport(exports, path, 'module');
    expect((value as () => string)()).toBe(gives);
    expect(owner).toBe(path.includes('.') ? Reflect.get(exports, path.split('.')[0] ?? '') : undefined);
  });

  test.each(['Gemm', 'toString', 'ops.lazy', 'ops.toString', 'gemm.call', 'Derived.make'])(
    '%s is not there',
    (path) => {
      expect(() => findExport(exports, path, 'module')).toThrow(
        expect.objectContaining({ code: 'EXPORT_NOT_FOUND' }),
      );
    },
  );

  test.each(['constructor', 'gemm.constructor', 'Base.prototype', '__proto__', 'a.b.c', '', 'ops.'])(
    '%j is no path',
    (path) => {
      expect(() => findExport(exports, path, 'module')).toThrow(
        expect.objectContaining({ code: 'NOT_ALLOWED' }),
      );
    },
  );
});

describe('a method', () => {
  test('is the own one, or that of a class', () => {
    const object = new Derived();
    expect(findMethod(object, 'own').call(object)).toBe('own');
    expect(findMethod(object, 'run').call(object)).toBe('base');
    expect(findStatic(Derived, 'make').call(Derived)).toBe('made');
  });

  test.each(['lazy', 'toString', 'valueOf', 'none'])('%s is not there', (name) => {
    expect(() => findMethod(new Derived(), name)).toThrow(
      expect.objectContaining({ code: 'EXPORT_NOT_FOUND' }),
    );
  });

  test('of a function is only what the class declares', () => {
    for (const name of ['call', 'apply', 'bind', 'toString']) {
      expect(() => findStatic(Derived, name)).toThrow(expect.objectContaining({ code: 'EXPORT_NOT_FOUND' }));
    }
    expect(() => findStatic(Derived, 'constructor')).toThrow(
      expect.objectContaining({ code: 'NOT_ALLOWED' }),
    );
  });
});
