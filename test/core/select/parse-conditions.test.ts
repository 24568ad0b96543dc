import { describe, expect, it } from 'vitest';
import {
  parseDuration,
  parseMoment,
  parseShape,
  parseSize,
  parseVerdicts,
} from '../../../src/core/select/index.js';

const usage = expect.objectContaining({ code: 'USAGE' });

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['64KiB', 65_536],
    ['64kib', 65_536],
    ['64 KB', 64_000],
    ['1.5GB', 1_500_000_000],
    ['2M', 2_000_000],
    ['0.5TiB', 549_755_813_888],
    ['17B', 17],
  ])('reads %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '-1', 'KiB', '1.KB', '1e3', '0x10', '5 apples', '9999999999TB', 'NaN'])(
    'refuses %j',
    (text) => {
      expect(() => parseSize(text)).toThrow(usage);
    },
  );
});

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('reads %j', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '10', 'm', '-10m', '10 m', '10y'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(usage);
  });
});

describe('parseMoment', () => {
  it.each([
    ['2026-11-25T14:32:17Z', Date.UTC(2026, 10, 25, 14, 32, 17)],
    ['2026-11-25t14:32:17.012z', Date.UTC(2026, 10, 25, 14, 32, 17, 12)],
    ['2026-11-25T14:32:17.012999Z', Date.UTC(2026, 10, 25, 14, 32, 17, 12)],
    ['2026-11-25 14:32+02:00', Date.UTC(2026, 10, 25, 12, 32)],
    ['2026-11-25T14:32:17.5', new Date(2026, 10, 25, 14, 32, 17, 500).getTime()],
    ['2026-11-25', new Date(2026, 10, 25).getTime()],
  ])('reads %j, in the time zone of this machine where it names none', (text, at) => {
    expect(parseMoment(text)).toEqual({ at });
  });

  it('takes a duration for one before the last call', () => {
    expect(parseMoment('10m')).toEqual({ before: 600_000 });
  });

  it.each(['', 'yesterday', '14:32', '2026-13-01', '2026-11-25T25:00Z', '20261125_143217_012', '1764081137'])(
    'refuses %j',
    (text) => {
      expect(() => parseMoment(text)).toThrow(usage);
    },
  );
});

describe('parseShape', () => {
  it.each([
    ['128,*,64', [128, '*', 64]],
    ['[128, *, 64]', [128, '*', 64]],
    ['*', ['*']],
    ['0', [0]],
    ['[]', []],
  ])('reads %j', (text, shape) => {
    expect(parseShape(text)).toEqual(shape);
  });

  it.each(['', 'a', '1,,2', '-1', '1.5', '[1', '**', '9999999999999999999'])('refuses %j', (text) => {
    expect(() => parseShape(text)).toThrow(usage);
  });
});

describe('parseVerdicts', () => {
  it('splits at the last =, which a path may hold too', () => {
    expect(parseVerdicts('out/a=b.json=mismatch, error')).toEqual({
      report: 'out/a=b.json',
      verdicts: ['mismatch', 'error'],
    });
  });

  it.each(['report.json', 'report.json=', '=mismatch', 'report.json=wrong', 'report.json=mismatch,'])(
    'refuses %j',
    (text) => {
      expect(() => parseVerdicts(text)).toThrow(usage);
    },
  );
});
