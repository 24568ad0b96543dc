// FlashInfer's own recorder, fetched once per checkout, for tests that record with it.
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { PIP_FLAGS, pythonWith, runPython, SAFETENSORS_PACKAGES, VERIFY_ROOT } from './python.js';

const FLASHINFER_VERSION = '0.7.2.post1';

const PLACE = join(VERIFY_ROOT, `flashinfer-${FLASHINFER_VERSION}`);

/** Takes one file out of the wheel: the package itself is of no use without a GPU. */
const UNPACK = `
import glob, sys, zipfile
[wheel] = glob.glob(sys.argv[1] + '/*.whl')
with zipfile.ZipFile(wheel) as archive:
    open(sys.argv[2], 'wb').write(archive.read('flashinfer/api_logging.py'))
`;

const WHERE_SAFETENSORS = 'import os, safetensors; print(os.path.dirname(safetensors.__file__), end="")';

/**
 * A directory for PYTHONPATH with a package `flashinfer` that holds nothing but the recorder of the published release,
 * with what it asks of the rest of FlashInfer left out, and the official `safetensors`. Rejects where pip can't fetch it.
 */
export async function flashinferRecorder(): Promise<string> {
  if (existsSync(PLACE)) return PLACE;
  const python = await pythonWith(SAFETENSORS_PACKAGES);
  await withLock(`${PLACE}.lock`, async () => {
    if (existsSync(PLACE)) return;
    const made = mkdtempSync(`${PLACE}-`);
    const wheel = join(made, 'wheel');
    await runPython(python, [
      ...['-m', 'pip', 'download', ...PIP_FLAGS, '--no-deps', '--dest', wheel],
      `flashinfer-python==${FLASHINFER_VERSION}`,
    ]);
    const flashinfer = join(made, 'flashinfer');
    mkdirSync(flashinfer);
    await runPython(python, ['-c', UNPACK, wheel, join(flashinfer, 'api_logging.py')]);
    rmSync(wheel, { recursive: true });
    writeFileSync(join(flashinfer, '__init__.py'), '');
    writeFileSync(join(flashinfer, 'version.py'), `__version__ = "${FLASHINFER_VERSION}"\n`);
    // Asked for traces at every decorated function.
    writeFileSync(join(flashinfer, 'fi_trace.py'), '_REGISTRY = {}\nbuild_fi_trace_fn = None\n');
    // A copy: the checkout may be moved.
    cpSync(await runPython(python, ['-c', WHERE_SAFETENSORS]), join(made, 'safetensors'), {
      recursive: true,
    });
    renameSync(made, PLACE);
  });
  return PLACE;
}
