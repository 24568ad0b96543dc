import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSession } from '../../../src/core/session/index.js';
import { dedupeSession } from '../../../src/core/store/dedupe-session.js';
import { extractSession } from '../../../src/core/store/index.js';
import { copyFixture, FLASHINFER_SESSIONS, fixturePath } from '../../support/flashinfer-fixtures.js';
import { pythonWithTorch, runPython } from '../../support/python.js';
import { makeTempDir } from '../../support/temp-dir.js';

/** Prints what `torch.load` makes of the files of a session: values, layouts, and which tensors share memory. */
const LOAD = `
import hashlib, json, os, sys, torch, warnings
warnings.simplefilter('ignore')
root, told = sys.argv[1], {}
for path, _, names in os.walk(root):
    for name in names:
        if not name.endswith('.pt'): continue
        file = os.path.join(path, name)
        tensors = torch.load(file)
        owners = {}
        for key in sorted(tensors):
            tensor = tensors[key]
            values = tensor.detach().contiguous()
            flat = values.reshape(-1).view(torch.uint8) if values.numel() and values.dim() else None
            owner = owners.setdefault(tensor.storage().data_ptr() or key, key)
            told[os.path.relpath(file, root) + ' ' + key] = [
                str(tensor.dtype), list(tensor.shape), list(tensor.stride()), owner, type(tensor).__name__,
                hashlib.sha256(bytes(flat.tolist()) if flat is not None else repr(values.tolist()).encode()).hexdigest()]
print(json.dumps(told))`;

/** Each dump's own records, as a FlashInfer reader finds them. */
function recordsOf(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  const found = names.filter((name) => name.endsWith('metadata.jsonl')).sort();
  return Object.fromEntries(
    found.map((name) => [
      name,
      readFileSync(join(path, name), 'utf8').replace(
        /, ?"fir": ?\{"recorder":"flashinfer"[^\n]*\}\}$/gm,
        '}',
      ),
    ]),
  );
}

it('a plain copy of a session whose contents are stored once is what FlashInfer’s reader had before', async () => {
  const python = await pythonWithTorch();
  const load = async (path: string): Promise<unknown> =>
    JSON.parse(await runPython(python, ['-c', LOAD, path]));
  let tensors = 0;
  for (const name of FLASHINFER_SESSIONS.filter((one) => one.endsWith('_pt') && one !== 'crashed_pt')) {
    const path = copyFixture(name);
    tensors += (await dedupeSession(path, { minBytes: 1 })).tensors;
    const session = openSession(path);
    const destination = join(makeTempDir(), 'plain');
    const calls = session.calls.map((call) => call.number);
    const { unconverted } = await extractSession({ session, calls, destination, plain: true });
    const unreadable = session.calls.filter(({ problem }) => problem !== undefined);
    expect(unconverted.map(({ call }) => call)).toEqual(unreadable.map(({ number }) => number));
    expect(await load(destination), name).toEqual(await load(fixturePath(name)));
    expect(recordsOf(destination), name).toEqual(recordsOf(fixturePath(name)));
  }
  expect(tensors).toBeGreaterThan(20);
}, 120_000);
