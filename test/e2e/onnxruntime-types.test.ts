import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeUnderTest, runProcess, temporaryDirectory } from '../support/fir.js';
import { identityModel, type OnnxType, onnxModel } from '../support/onnx-model.js';
import { replayJson } from '../support/replay-json.js';
import { callNamed, captureProgram, program, readCaptured } from './captured.js';

/** Bytes of the three values that the program sends; those of an empty tensor are none. */
const BYTES: Partial<Record<OnnxType, string>> = {
  float32: '0000c03f 00000080 0000c07f',
  float64: '9a9999999999b93f 0000000000000080 000000000000f0ff',
  uint8: '01 00 ff',
  uint16: '0100 0000 ffff',
  uint32: '01000000 00000000 ffffffff',
  uint64: '0100000000000000 0000000000000000 ffffffffffffffff',
  int8: '01 00 80',
  int16: '0100 0000 0080',
  int32: '01000000 00000000 00000080',
  int64: '0100000000000000 0100000000002000 0000000000000080',
  bool: '01 00 01',
};
const STRINGS = ['żółw 🦊', '', 'a\nb'];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('tensors of onnxruntime', () => {
  it('of every type are recorded exactly, without dimensions and empty too, and replayed', async () => {
    const directory = temporaryDirectory();
    const types = [...(Object.keys(BYTES) as OnnxType[]), 'string' as const];
    for (const type of types) writeFileSync(join(directory, `${type}.onnx`), identityModel(type));
    const bare = await runProcess(nodeUnderTest, [program('ort-every-type.cjs'), directory]);
    const session = join(directory, 'session');
    const captured = await captureProgram(session, ['ort-every-type.cjs', directory]);
    expect([captured.code, captured.stdout]).toEqual([0, bare.stdout]);

    const { calls } = readCaptured(session);
    expect(calls).toHaveLength(types.length * 4);
    for (const type of types) {
      const runs = calls.filter(({ record }) => Object.values(record.fir?.tensors ?? {})[0]?.dtype === type);
      expect(runs.map(({ fir }) => fir.tensors['arg_0__value_0']?.shape)).toEqual([[3], [], [0, 2]]);
      for (const [at, call] of runs.entries()) {
        expect(call.status).toBe('completed');
        for (const [group, key] of [
          ['inputs', 'arg_0__value_0'],
          ['outputs', 'result__value_0'],
        ] as const) {
          const tensor = call.tensor(group, key);
          expect([tensor.dtype, tensor.host]).toEqual([type, 'onnxruntime.Tensor']);
          const values = BYTES[type]?.split(' ');
          const kept = [3, 1, 0][at];
          if (values === undefined) expect(tensor.strings?.()).toEqual(STRINGS.slice(0, kept));
          else expect(hex(tensor.logicalBytes())).toBe(values.slice(0, kept).join(''));
        }
      }
    }

    const { code, summary } = await replayJson(session);
    expect(code).toBe(0);
    expect(summary).toMatchObject({ calls: types.length * 4, ran: types.length, pass: types.length * 3 });
  });

  it('of float16 are recorded as their bits, whatever array holds them on this Node', async () => {
    const directory = temporaryDirectory();
    const model = join(directory, 'model.onnx');
    writeFileSync(model, identityModel('float16'));
    const session = join(directory, 'session');
    const captured = await captureProgram(session, ['ort-float16.cjs', model]);
    const call = callNamed(readCaptured(session), 'InferenceSession.run');
    const input = call.tensor('inputs', 'arg_0__value_0');
    expect([input.dtype, hex(input.logicalBytes())]).toEqual(['float16', '003c0040']);

    const isTaken = captured.stdout === 'float16 003c0040\n';
    expect(isTaken || /expected 4, got 0/.test(captured.stdout)).toBe(true);
    if (isTaken) {
      const output = call.tensor('outputs', 'result__value_0');
      expect([output.dtype, hex(output.logicalBytes())]).toEqual(['float16', '003c0040']);
    }
    const replayed = await replayJson(session);
    expect(replayed.code).toBe(0);
    expect(replayed.calls[1]?.reproduced ?? false).toBe(!isTaken);
  });

  it('of 4 bits are recorded, and that the runtime refuses them is reproduced', async () => {
    const directory = temporaryDirectory();
    const model = join(directory, 'model.onnx');
    const cast = { op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 1 } };
    writeFileSync(
      model,
      onnxModel({
        inputs: [{ name: 'x', type: 'uint4' }],
        outputs: [{ name: 'y', type: 'float32' }],
        nodes: [cast],
      }),
    );
    const session = join(directory, 'session');
    const captured = await captureProgram(session, ['ort-four-bits.cjs', model]);
    expect(captured.stdout).toBe('Tensor.type is not supported: uint4\n');
    const call = callNamed(readCaptured(session), 'InferenceSession.run');
    expect(call.status).toBe('failed');
    const input = call.tensor('inputs', 'arg_0__value_0');
    expect([input.dtype, input.shape, hex(input.logicalBytes())]).toEqual(['uint4', [3], '2103']);
    const replayed = await replayJson(session);
    expect(replayed.verdicts).toEqual(['1 ran', '2 pass']);
    expect(replayed.summary.reproduced).toBe(1);
  });

  it('of strings, given for a result that the runtime puts elsewhere, are kept', async () => {
    const directory = temporaryDirectory();
    const model = join(directory, 'model.onnx');
    writeFileSync(model, identityModel('string'));
    const session = join(directory, 'session');
    const captured = await captureProgram(session, ['ort-string-fetch.cjs', model]);
    expect(captured.stdout).toBe("[ 'a', 'b' ] [ 'p', 'q' ]\n");
    const call = callNamed(readCaptured(session), 'InferenceSession.run');
    expect(call.tensor('inputs', 'arg_1__value_0').strings?.()).toEqual(['p', 'q']);
    expect((await replayJson(session)).verdicts).toEqual(['1 ran', '2 pass']);
  });
});
