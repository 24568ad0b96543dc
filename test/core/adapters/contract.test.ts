import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../../src/core/adapters/index.js';
import { ADAPTER_PACKAGES } from '../../../src/core/adapters/packages.js';
import type { CallRecord } from '../../../src/core/model/call.js';
import { Tensor } from '../../../src/core/tensor/index.js';

const require = createRequire(import.meta.url);

class Ordinary {
  dims = 'three';
  type = 'float32';
  data = 1;
}

const ORDINARY_VALUES: Record<string, object> = {
  'an empty object': {},
  'an object that looks like a tensor': {
    dims: [1],
    type: 'float32',
    cpuData: new Float32Array(1),
    data: new Float32Array(1),
  },
  'an object without a prototype': Object.assign(Object.create(null), { dims: [1], type: 'float32' }),
  'an array': Object.assign([1, 2], { dims: [1], type: 'float32' }),
  'a typed array': new Float32Array(2),
  'a buffer': Buffer.from('abc'),
  'an array buffer': new ArrayBuffer(4),
  'a date': new Date(0),
  'a map': new Map([['dims', [1]]]),
  'a set': new Set([1]),
  'an error': new Error('dims'),
  'a regular expression': /dims/,
  'a promise': Promise.resolve(1),
  'an instance of a class of its own': new Ordinary(),
  'a tensor of fir itself': Tensor.from([1, 2]),
};

function refuse(): never {
  throw new Error('code of the value ran');
}

const TRAPS = new Proxy({}, { get: () => refuse }) as ProxyHandler<object>;

/** Values that would notice being looked into. */
const WATCHFUL_VALUES: Record<string, object> = {
  'a proxy': new Proxy({}, TRAPS),
  'a proxy of an array': new Proxy([], TRAPS),
  'an object whose prototype is a proxy': Object.create(new Proxy({}, TRAPS)),
  'an instance with getters': Object.defineProperties(
    new Ordinary(),
    Object.fromEntries(['dims', 'type', 'cpuData', 'data'].map((name) => [name, { get: refuse }])),
  ),
  'an instance whose properties are proxies': Object.assign(new Ordinary(), {
    dims: new Proxy([1], TRAPS),
    cpuData: new Proxy(new Float32Array(1), TRAPS),
  }),
  'an instance whose values are a proxy': Object.assign(new Ordinary(), {
    dims: [1],
    type: 'string',
    cpuData: new Proxy(['a'], TRAPS),
  }),
  'an instance whose sizes are getters': Object.assign(new Ordinary(), {
    dims: Object.defineProperty([1], 0, { get: refuse }),
    cpuData: new Float32Array(1),
  }),
};

describe('the built-in adapters', () => {
  it('have names of their own', () => {
    const names = ADAPTERS.map(({ name }) => name);
    expect(names.every((name) => /^[a-z][a-z0-9-]*$/.test(name))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are loaded for the packages that programs are watched for, each package by one of them', () => {
    const packages = ADAPTERS.flatMap((adapter) => adapter.packages);
    expect([...packages].sort()).toEqual([...ADAPTER_PACKAGES].sort());
    expect(new Set(packages).size).toBe(packages.length);
  });
});

describe.each(ADAPTERS.map((adapter) => [adapter.name, adapter] as const))(
  'the %s adapter',
  (_name, adapter) => {
    it('says how any class holds state', () => {
      for (const className of ['Anything', 'constructor', '__proto__', '']) {
        const rule = adapter.stateRule(className);
        expect(rule === 'stateless' || rule === 'full' || Array.isArray(rule.latest)).toBe(true);
        expect(typeof adapter.isStateless(`${className}.run`)).toBe('boolean');
      }
      expect(adapter.isStateless('somebody_else')).toBe(false);
    });

    it.each(Object.entries(ORDINARY_VALUES))('takes %s for no tensor', (_what, value) => {
      expect(adapter.describeTensor(value)).toBeUndefined();
    });

    it.each(Object.entries(WATCHFUL_VALUES))('runs no code of %s', (_what, value) => {
      expect(adapter.describeTensor(value)).toBeUndefined();
    });

    it('leaves modules without its classes as they are', () => {
      const wrapped: unknown[] = [];
      for (const packageName of adapter.packages) {
        adapter.instrument(packageName, {}, { wrapMember: (owner) => wrapped.push(owner) }, '1.0.0');
      }
      expect(wrapped).toEqual([]);
    });

    it('loads only its own packages, and decodes only its own values', async () => {
      const loaded: string[] = [];
      const record = { function_name: 'Anything.run' } as CallRecord;
      const replay = await adapter.openReplay(record, {
        importPackage: async (name) => {
          loaded.push(name);
          return { exports: require(name), version: '1.0.0' };
        },
        mapPath: (path) => path,
      });
      expect(loaded.every((name) => adapter.packages.includes(name))).toBe(true);
      expect(replay.version).toBe('1.0.0');
      expect(replay.tensorFromHost('Float32Array', Tensor.from([1]), undefined)).toBeUndefined();
      expect(replay.decodeCustom({ type: 'somebody.elses' })).toBeUndefined();
      await expect(async () => replay.invoke(record, {}, [], [])).rejects.toMatchObject({
        code: 'NOT_REPLAYABLE',
      });
    });
  },
);
