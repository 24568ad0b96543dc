import { describe, expect, it } from 'vitest';
import { CallGate } from '../../src/preload/call-gate.js';
import { settingsFrom } from '../../src/preload/settings.js';

function gate(env: NodeJS.ProcessEnv): CallGate {
  return new CallGate(settingsFrom(env));
}

describe('CallGate', () => {
  it('includes first, then excludes', () => {
    const filtered = gate({ FIR_DUMP_INCLUDE: 'Wrapper.*,mm', FIR_DUMP_EXCLUDE: '*.plan' });
    const names = ['Wrapper.run', 'Wrapper.plan', 'mm', 'MM', 'other'];
    expect(names.filter((name) => filtered.isSelected(name))).toEqual(['Wrapper.run', 'mm']);
    expect(names.filter((name) => filtered.isSelected(name))).toEqual(['Wrapper.run', 'mm']);
  });

  it('has room for so many calls', () => {
    const limited = gate({ FIR_DUMP_MAX_COUNT: '2' });
    limited.addCall('gemm');
    expect(limited.hasRoom(1e9)).toBe(true);
    limited.addCall('gemm');
    expect(limited.hasRoom(0)).toBe(false);
  });

  it('has room for so many bytes, to the last one', () => {
    const limited = gate({ FIR_DUMP_MAX_SIZE_GB: String(1000 / 1024 ** 3) });
    limited.addBytes(600);
    expect([limited.hasRoom(400), limited.hasRoom(401)]).toEqual([true, false]);
    limited.addBytes(500);
    expect(limited.hasRoom(0)).toBe(false);
  });
});
