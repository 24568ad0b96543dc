import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  externalDataLocations,
  type ReadModel,
} from '../../../../src/core/adapters/onnxruntime/external-data.js';
import {
  addModel,
  branchModel,
  identityModel,
  type OnnxInitializer,
  onnxModel,
} from '../../../support/onnx-model.js';

/** Counts the bytes that were looked at. */
function readerOf(model: Uint8Array): { read: ReadModel; total(): number } {
  let total = 0;
  const read: ReadModel = (position, length) => {
    const bytes = model.subarray(position, position + length);
    total += bytes.length;
    return bytes;
  };
  return { read, total: () => total };
}

function locationsIn(model: Uint8Array): string[] {
  return externalDataLocations(readerOf(model).read, model.length);
}

function initializer(name: string, data: OnnxInitializer['data'], size = 1): OnnxInitializer {
  return { name, type: 'float32', shape: [size], data };
}

describe('side files of a model', () => {
  it('are none where the weights are in the model', () => {
    expect(locationsIn(identityModel('float32'))).toEqual([]);
    expect(locationsIn(addModel(2, Float32Array.of(1, 2)))).toEqual([]);
  });

  it('are named once each, in the order of the model', () => {
    const outputs = [{ name: 'y', type: 'float32' as const, shape: [1] }];
    const initializers = ['b.bin', 'a.bin', 'b.bin', 'żółw.bin'].map((location, at) =>
      initializer(`w${at}`, { location }),
    );
    const model = onnxModel({ outputs, nodes: [], initializers });
    expect(locationsIn(model)).toEqual(['b.bin', 'a.bin', 'żółw.bin']);
  });

  it('are found in the branches of an If', () => {
    expect(locationsIn(branchModel(2, { location: 'branch.bin' }))).toEqual(['branch.bin']);
  });

  it('are found without reading the weights', () => {
    const outputs = [{ name: 'y', type: 'float32' as const, shape: [1] }];
    const weights = new Uint8Array(32 << 20);
    const model = onnxModel({
      outputs,
      nodes: [],
      initializers: [initializer('w', weights, weights.length / 4), initializer('v', { location: 'v.bin' })],
    });
    const { read, total } = readerOf(model);
    expect(externalDataLocations(read, model.length)).toEqual(['v.bin']);
    expect(total()).toBeLessThan(1 << 20);
  });

  it('end at a bound where graphs nest without end', () => {
    let graph: Buffer = Buffer.from([0x0a, 0]);
    for (let depth = 0; depth < 500; depth += 1) graph = nested(graph);
    expect(locationsIn(graph)).toEqual([]);
  });

  it('are none in anything else, and looking for them ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(Array.isArray(locationsIn(bytes))).toBe(true);
      }),
    );
  });

  it('come out of a cut or damaged model as far as it goes', () => {
    const model = addModel(2, { location: 'w.bin' });
    fc.assert(
      fc.property(fc.nat(model.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(model);
        damaged[at] = byte;
        expect(Array.isArray(locationsIn(damaged))).toBe(true);
        expect(locationsIn(model.subarray(0, at)).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

/** A model's graph, a node, an attribute and its graph again: field 7, 1, 5, 6 around what is given. */
function nested(inner: Buffer): Buffer {
  let bytes = inner;
  for (const field of [6, 5, 1])
    bytes = Buffer.concat([Buffer.from([field * 8 + 2, ...varint(bytes.length)]), bytes]);
  return bytes;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}
