import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { extractSession } from '../../../src/core/store/index.js';
import { FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { pythonWith, pythonWithTorch, runPython, SAFETENSORS_PACKAGES } from '../../support/python.js';
import { writeRecorded } from '../../support/recorded-session.js';
import { makeTempDir } from '../../support/temp-dir.js';
import { CALLS } from './recorded-calls.js';

/** Prints what `torch.load` makes of each file that it is given, with its layouts. */
const WITH_TORCH = `
import hashlib, json, sys, torch, warnings
warnings.simplefilter('ignore')
told = {}
for path in sys.argv[1:]:
    for key, tensor in torch.load(path, weights_only=True).items():
        values = tensor.detach().contiguous()
        raw = bytes(values.view(torch.uint8).flatten().tolist()) if values.dim() and values.numel() else b''
        told[path + ' ' + key] = [list(tensor.shape), list(tensor.stride()), hashlib.sha256(raw).hexdigest() if raw else '']
print(json.dumps(told))`;

const WITH_SAFETENSORS = `
import hashlib, json, sys, safetensors
told = {}
for path in sys.argv[1:]:
    for key, entry in safetensors.deserialize(open(path, 'rb').read()):
        raw = bytes(entry['data'])
        told[path + ' ' + key] = [list(entry['shape']), None, hashlib.sha256(raw).hexdigest() if raw else '']
print(json.dumps(told))`;

type Told = Record<string, [shape: number[], stride: number[] | null, sha256: string]>;

async function converted(source: string, format: 'torch' | 'safetensors'): Promise<string> {
  const session = openSession(source);
  const destination = join(makeTempDir(), 'out');
  const calls = session.calls.map((call) => call.number);
  await extractSession({ session, calls, destination, format });
  return destination;
}

function filesOf(path: string, ending: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('flush_0003'))
    .map((name) => join(path, name));
}

/** The same of the source as fir reads it, for tensors that stand under their own key. */
function expectedOf(source: string, destination: string, ending: string): Told {
  const told: Told = {};
  const session = openSession(source);
  for (const call of session.calls) {
    if (call.problem !== undefined) continue;
    const dump = session.openDump(call);
    for (const group of ['inputs', 'outputs'] as const) {
      for (const key of dump.keys(group)) {
        const { dtype, shape, stride, strings } = dump.tensor(group, key);
        const isPlain = strings === undefined && !dtype.includes('int4') && dtype !== 'complex128';
        if (!isPlain || shape.length === 0) continue;
        try {
          const bytes = dump.tensor(group, key).logicalBytes();
          const hash = bytes.length === 0 ? '' : createHash('sha256').update(bytes).digest('hex');
          told[`${join(destination, call.dump, `${group}${ending}`)} ${key}`] = [shape, stride, hash];
        } catch {
          // Damaged, or not saved.
        }
      }
    }
    dump.close();
  }
  return told;
}

/** Everything that the library found must be what fir reads. Gives how many tensors that were. */
function expectSame(told: Told, expected: Told, hasStrides: boolean): number {
  const common = Object.keys(expected).filter((key) => told[key] !== undefined);
  for (const key of common) {
    const [shape, stride, hash] = told[key] ?? [];
    const [ownShape, ownStride, ownHash] = expected[key] ?? [];
    expect([key, shape, hash]).toEqual([key, ownShape, ownHash]);
    if (hasStrides && hash !== '') expect([key, stride]).toEqual([key, ownStride]);
  }
  return common.length;
}

interface Conversion {
  source: string;
  path: string;
}

/** How many tensors of several conversions a library was asked about, all in one process. */
async function compareWith(
  python: string,
  program: string,
  ending: '.pt' | '.safetensors',
  conversions: readonly Conversion[],
): Promise<{ counts: number[]; told: Told }> {
  const files = conversions.flatMap(({ path }) => filesOf(path, ending));
  const told: Told = JSON.parse(await runPython(python, ['-c', program, ...files]));
  const counts = conversions.map(({ source, path }) =>
    expectSame(told, expectedOf(source, path, ending), ending === '.pt'),
  );
  return { counts, told };
}

describe('converted files', () => {
  it('are loaded by torch with the values and strides of the source', async () => {
    const recorded = makeTempDir();
    writeRecorded(recorded, CALLS, 'safetensors');
    const conversions: Conversion[] = [{ source: recorded, path: await converted(recorded, 'torch') }];
    for (const name of ['stateless_pt', 'stateful_pt', 'graph_flush']) {
      const source = fixturePath(name);
      const there = await converted(source, 'safetensors');
      conversions.push({ source, path: await converted(there, 'torch') });
    }
    const { counts, told } = await compareWith(await pythonWithTorch(), WITH_TORCH, '.pt', conversions);
    expect(Math.min(...counts)).toBeGreaterThan(10);
    // The same tensor under a second key is in the file, too.
    expect(Object.keys(told).some((key) => key.endsWith('call0001/inputs.pt arg_3'))).toBe(true);
  });

  it('are loaded by the safetensors library with the values of the source', async () => {
    const recorded = makeTempDir();
    writeRecorded(recorded, CALLS, 'torch');
    const conversions: Conversion[] = [];
    for (const source of [recorded, ...FLASHINFER_SESSIONS.map(fixturePath)]) {
      conversions.push({ source, path: await converted(source, 'safetensors') });
    }
    const python = await pythonWith(SAFETENSORS_PACKAGES);
    const { counts, told } = await compareWith(python, WITH_SAFETENSORS, '.safetensors', conversions);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(0.8 * Object.keys(told).length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });
});
