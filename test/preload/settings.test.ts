import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsFrom } from '../../src/preload/settings.js';

describe('the level', () => {
  it.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['-1', 0],
    ['nonsense', 0],
    ['1', 1],
    ['2', 1],
    ['3', 3],
    ['4', 3],
    ['5', 5],
    ['9', 5],
    ['10', 10],
    ['99', 10],
  ])('of FIR_LOGLEVEL=%s is %i', (text, level) => {
    expect(settingsFrom({ FIR_LOGLEVEL: text }).level).toBe(level);
  });
});

describe('settingsFrom', () => {
  it('has defaults for everything', () => {
    expect(settingsFrom({})).toEqual({
      level: 0,
      directory: resolve('fir_dumps'),
      maxBytes: 20 * 1024 ** 3,
      maxCount: 1000,
      maxPerFunction: Number.POSITIVE_INFINITY,
      onLimit: 'stop',
      include: [],
      exclude: [],
      logDest: 'stderr',
      tensorFormat: 'safetensors',
      redact: false,
      redactKey: undefined,
      asyncParents: false,
      dedupe: false,
      capture: undefined,
    });
  });

  it('reads every variable', () => {
    const env = {
      FIR_LOGLEVEL: '10',
      FIR_DUMP_DIR: '/some/where',
      FIR_DUMP_MAX_SIZE_GB: '0.5',
      FIR_DUMP_MAX_COUNT: '0',
      FIR_DUMP_MAX_PER_FUNCTION: '40',
      FIR_DUMP_ON_LIMIT: 'rotate',
      FIR_DUMP_INCLUDE: 'a*, b?,,',
      FIR_DUMP_EXCLUDE: '*.plan',
      FIR_DUMP_SAFETENSORS: '0',
      FIR_LOGDEST: 'stdout',
      FIR_ASYNC_PARENTS: '1',
      FIR_DUMP_DEDUPE: '1',
      FIR_CAPTURE_ID: 'abc',
    };
    expect(settingsFrom(env)).toEqual({
      level: 10,
      directory: '/some/where',
      maxBytes: 0.5 * 1024 ** 3,
      maxCount: 0,
      maxPerFunction: 40,
      onLimit: 'rotate',
      include: ['a*', 'b?'],
      exclude: ['*.plan'],
      logDest: 'stdout',
      tensorFormat: 'torch',
      redact: false,
      redactKey: undefined,
      asyncParents: true,
      dedupe: true,
      capture: 'abc',
    });
  });

  it('does not stop at numbers that are none', () => {
    const { maxBytes, maxCount } = settingsFrom({ FIR_DUMP_MAX_SIZE_GB: 'big', FIR_DUMP_MAX_COUNT: '-3' });
    expect([maxBytes, maxCount]).toEqual([20 * 1024 ** 3, 1000]);
  });
});
