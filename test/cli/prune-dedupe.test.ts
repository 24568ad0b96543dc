import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { runFir } from '../support/fir.js';
import { writeRecorded } from '../support/recorded-session.js';
import { expectValid } from '../support/schema.js';
import { hashTree, valuesOf } from '../support/session-content.js';
import { makeTempDir } from '../support/temp-dir.js';

/** Three calls with the same 64 KiB. */
function recorded(): string {
  const path = join(makeTempDir(), 'session');
  const calls = [1, 2, 3].map((at) => ({
    inputs: { arg_0: new Float32Array(16_384).fill(7), arg_1: Float32Array.of(at) },
  }));
  writeRecorded(path, calls, 'safetensors');
  return path;
}

describe('fir prune --dedupe', () => {
  it('stores contents once without asking, and says by how much the session is smaller', async () => {
    const session = recorded();
    const before = valuesOf(openSession(session));
    const { code, stdout, stderr } = await runFir(['prune', session, '--dedupe']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^3 tensors of 192\.0 KiB stored as 64\.0 KiB more under blobs\/; the session is 128\.\d KiB smaller\n$/,
    );
    expect(valuesOf(openSession(session))).toEqual(before);
    const again = await runFir(['prune', session, '--dedupe']);
    expect(again).toMatchObject({ code: 0, stdout: 'no content is there more than once\n' });
  });

  it('changes nothing with --dry-run', async () => {
    const session = recorded();
    const tree = hashTree(session);
    const { code, stdout } = await runFir(['prune', session, '--dedupe', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      '3 tensors of 192.0 KiB would be stored as 64.0 KiB more under blobs/, about 128.0 KiB less in all\n',
    );
    expect(hashTree(session)).toBe(tree);
  });

  it('prints one document with --json', async () => {
    const { code, stdout } = await runFir(['prune', recorded(), '--dedupe', '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expectValid(document);
    expect(document).toMatchObject({ format: 'fir.dedupe/1', tensors: 3, calls: 3, left: [] });
  });

  it.each([['--max-count', '1'], ['--orphans'], ['--keep', 'failed']])(
    'drops nothing at once: %s',
    async (...flags) => {
      const session = recorded();
      const tree = hashTree(session);
      const { code, stderr } = await runFir(['prune', session, '--dedupe', ...flags]);
      expect(code).toBe(2);
      expect(stderr).toContain('--dedupe');
      expect(hashTree(session)).toBe(tree);
    },
  );

  it('refuses a part of a session', async () => {
    const session = recorded();
    const tree = hashTree(session);
    const [dump = ''] = openSession(session).calls.map((call) => call.dump);
    for (const part of [dump, 'session.jsonl']) {
      const { code, stderr } = await runFir(['prune', join(session, part), '--dedupe']);
      expect(code).toBe(2);
      expect(stderr).toContain('is not the directory of a session');
    }
    expect(hashTree(session)).toBe(tree);
  });
});
