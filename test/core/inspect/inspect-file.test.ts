import { createHash } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { encodeFromFloat64 } from '../../../src/core/dtype/index.js';
import { inspectSafetensors } from '../../../src/core/inspect/index.js';
import { stringifyJson } from '../../../src/core/json/index.js';
import type { JsonValue } from '../../../src/core/model/json.js';
import { writeSafetensors } from '../../../src/core/safetensors/index.js';
import { makeTempDir } from '../../support/temp-dir.js';

const schema = JSON.parse(
  readFileSync(new URL('../../../docs/schema/inspect-file.schema.json', import.meta.url), 'utf8'),
);

describe('inspectSafetensors', () => {
  it('tells what is in a file', () => {
    const path = join(makeTempDir(), 'weights.safetensors');
    const values = encodeFromFloat64('float32', Float64Array.of(1, 2, Number.NaN, 4));
    const packed = encodeFromFloat64('float4_e2m1fn_x2', Float64Array.of(1, -6));
    const bytes = writeSafetensors(
      path,
      [
        { key: 'w', dtype: 'F32', shape: [2, 2], data: values },
        { key: 'q', dtype: 'F4', shape: [2], data: packed },
      ],
      { made: 'here' },
    );
    const plain = inspectSafetensors(path);
    expect(plain.file).toEqual({ path, bytes, metadata: { made: 'here' } });
    expect(new Map(plain.tensors.map((tensor) => [tensor.key, tensor]))).toEqual(
      new Map([
        ['w', { key: 'w', dtype: 'F32', shape: [2, 2], bytes: 16 }],
        ['q', { key: 'q', dtype: 'F4', shape: [2], bytes: 1 }],
      ]),
    );
    const full = inspectSafetensors(path, { stats: true, hash: true });
    const w = full.tensors.find((tensor) => tensor.key === 'w');
    const q = full.tensors.find((tensor) => tensor.key === 'q');
    expect(w?.stats).toMatchObject({ min: 1, max: 4, nan: 1, inf: 0 });
    expect(q?.stats).toMatchObject({ min: -6, max: 1 });
    expect(w?.sha256).toBe(createHash('sha256').update(values).digest('hex'));

    const validate = new Ajv2020({ allErrors: true, strictTypes: false }).compile(schema);
    validate(JSON.parse(stringifyJson(full as unknown as JsonValue)));
    expect(validate.errors).toBeNull();
  });

  it('reads no more than the header of a file larger than memory may be', () => {
    const path = join(makeTempDir(), 'sparse.safetensors');
    const bytes = 3 * 2 ** 30;
    const header = JSON.stringify({ w: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, Buffer.from(header)]));
    truncateSync(path, 8 + header.length + bytes);
    const before = process.memoryUsage.rss();
    expect(inspectSafetensors(path).tensors).toEqual([{ key: 'w', dtype: 'U8', shape: [bytes], bytes }]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
  });

  it('says what is wrong with a file', () => {
    const dir = makeTempDir();
    const path = join(dir, 'torn.safetensors');
    writeFileSync(path, 'x');
    expect(() => inspectSafetensors(path)).toThrow(expect.objectContaining({ code: 'SAFETENSORS_INVALID' }));
    expect(() => inspectSafetensors(join(dir, 'none'))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    );
  });
});
