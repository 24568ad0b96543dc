import { describe, expect, it } from 'vitest';
import {
  allowedRunOptions,
  allowedSessionOptions,
} from '../../../../src/core/adapters/onnxruntime/allowed-options.js';

function filtered(options: object): { passed: Record<string, unknown>; notes: string[] } {
  const notes: string[] = [];
  return { passed: allowedSessionOptions(options, notes), notes };
}

describe('session options at replay', () => {
  it('pass where they neither write nor load', () => {
    const options = {
      executionProviders: ['cpu', { name: 'cpu', useArena: true }],
      intraOpNumThreads: 1,
      graphOptimizationLevel: 'disabled',
      freeDimensionOverrides: { batch: 2 },
      logSeverityLevel: 3,
    };
    expect(filtered(options)).toEqual({ passed: options, notes: [] });
  });

  it.each([
    ['optimizedModelFilePath', '/tmp/optimized.onnx'],
    ['enableProfiling', true],
    ['profileFilePrefix', '/tmp/profile'],
    ['extra', { session: { use_env_allocators: '1' } }],
    ['__proto__x', 1],
  ])('stay behind where they could: %s', (name, value) => {
    expect(filtered({ [name]: value, logId: 'kept' })).toEqual({
      passed: { logId: 'kept' },
      notes: [`session option ${name} was not passed on`],
    });
  });

  it('leave out providers, and options of providers, that could name a library', () => {
    const { passed, notes } = filtered({
      executionProviders: [
        'tensorrt',
        { name: 'qnn', backendPath: '/tmp/evil.so' },
        { name: 'cuda', deviceId: 0, extra: 1 },
      ],
    });
    expect(passed).toEqual({ executionProviders: [{ name: 'cuda', deviceId: 0 }] });
    expect(notes).toEqual([
      'execution provider tensorrt was not passed on',
      'execution provider qnn was not passed on',
      'cuda provider option extra was not passed on',
    ]);
  });

  it('leave out side files that would be read from this machine', () => {
    const data = Uint8Array.of(1);
    const { passed, notes } = filtered({
      externalData: ['w.bin', { path: 'w.bin', data }, { path: 'v.bin', data: '/etc/passwd' }],
    });
    expect(passed).toEqual({ externalData: [{ path: 'w.bin', data }] });
    expect(notes).toHaveLength(2);
  });

  it.each([
    ['an object without a prototype', Object.assign(Object.create(null), { optimizedModelFilePath: '/x' })],
    ['an array', Object.assign([], { optimizedModelFilePath: '/x' })],
    ['a date', Object.assign(new Date(0), { optimizedModelFilePath: '/x' })],
    ['an error', Object.assign(new Error('x'), { optimizedModelFilePath: '/x' })],
    ['a typed array', Object.assign(new Uint8Array(3), { optimizedModelFilePath: '/x' })],
  ])('do not get through in %s', (_what, options) => {
    expect(filtered(options).passed).toEqual({});
  });

  it('that are of a wrong type reach the runtime, which refuses them as it did', () => {
    expect(filtered({ executionProviders: 'cpu' }).passed).toEqual({ executionProviders: 'cpu' });
  });
});

describe('run options at replay', () => {
  it('pass by name', () => {
    const notes: string[] = [];
    const passed = allowedRunOptions({ tag: 'a', terminate: false, extra: { memory: {} } }, notes);
    expect(passed).toEqual({ tag: 'a', terminate: false });
    expect(notes).toEqual(['run option extra was not passed on']);
  });
});
