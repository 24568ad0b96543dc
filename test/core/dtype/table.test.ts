import { describe, expect, it } from 'vitest';
import { byteLengthOf, DTYPES, dtypeFromSafetensors, dtypeOf } from '../../../src/core/dtype/index.js';
import { FirError } from '../../../src/core/errors.js';
import { FORMAT_DTYPES } from '../../../src/core/safetensors/dtypes.js';

describe('the dtype table', () => {
  it('knows dtypes by their own and by their torch name', () => {
    expect(dtypeOf('torch.bfloat16')).toBe(dtypeOf('bfloat16'));
    expect(dtypeOf('torch.float8_e4m3fn').safetensors).toBe('F8_E4M3');
    for (const [name, dtype] of DTYPES) {
      expect(dtype.name).toBe(name);
      expect(dtypeOf(dtype.torchName)).toBe(dtype);
    }
  });

  it.each(['float31', 'torch.', '', 'toString', '__proto__', 'F32'])('does not know %j', (name) => {
    expect(() => dtypeOf(name)).toThrow(FirError);
    expect(() => dtypeOf(name)).toThrow(`unknown dtype ${JSON.stringify(name)}`);
  });

  it('agrees with the safetensors format on the size of every dtype that both have', () => {
    const shared = [...DTYPES.values()].filter(({ safetensors }) => safetensors !== undefined);
    expect(shared.length).toBe(20);
    for (const { name, safetensors = '', bitsPerElement, valuesPerElement } of shared) {
      const bits = name === 'float4_e2m1fn_x2' ? bitsPerElement / valuesPerElement : bitsPerElement;
      expect(FORMAT_DTYPES.get(safetensors)?.bits, name).toBe(bits);
      expect(dtypeFromSafetensors(safetensors)?.name).toBe(name);
    }
  });

  it('has no safetensors name for what its official readers do not know', () => {
    const missing = [...DTYPES.values()].filter(({ safetensors }) => safetensors === undefined);
    expect(missing.map(({ name }) => name)).toEqual(['complex128', 'int4', 'uint4', 'string']);
    expect(dtypeFromSafetensors('C128')).toBeUndefined();
    expect(dtypeFromSafetensors('constructor')).toBeUndefined();
  });

  it('counts bytes, half ones rounded up', () => {
    expect(byteLengthOf('float32', 3)).toBe(12);
    expect(byteLengthOf('complex128', 2)).toBe(32);
    expect(byteLengthOf('int4', 5)).toBe(3);
    expect(byteLengthOf('float4_e2m1fn_x2', 5)).toBe(5);
    expect(byteLengthOf('uint8', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => byteLengthOf('float64', Number.MAX_SAFE_INTEGER)).toThrow('more bytes than 2^53');
  });
});
