import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../src/core/session/index.js';
import { contentOf, hashTree } from '../support/session-content.js';
import { tensorOf, writeSession } from '../support/session-writer.js';
import { makeTempDir } from '../support/temp-dir.js';

const CALLS = 100;
const KILLS = 30;

/** A program that extracts all calls of its first argument into its second, and prints a letter at every step. */
async function buildExtractor(dir: string): Promise<string> {
  const entry = join(dir, 'extractor.ts');
  const outfile = join(dir, 'extractor.mjs');
  const module = (name: string) =>
    JSON.stringify(fileURLToPath(new URL(`../../src/core/${name}/index.ts`, import.meta.url)));
  writeFileSync(
    entry,
    `import { writeSync } from 'node:fs';
    import { openSession } from ${module('session')};
    import { extractSession } from ${module('store')};
    const [source, destination, format] = process.argv.slice(2);
    const session = openSession(source);
    const step = () => writeSync(1, '.');
    const calls = session.calls.map((call) => call.number);
    step();
    await extractSession({ session, calls, destination, onProgress: step, ...(format ? { format } : {}) });
    step();`,
  );
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
  });
  return outfile;
}

/** Kills the program when it has made so many steps; resolves once it is gone. */
function runUntil(program: string, args: readonly string[], steps: number): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= steps) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}

describe('an extraction that is killed', () => {
  it('leaves its destination whole or not at all, and the source as it was', async () => {
    const dir = makeTempDir();
    const source = join(dir, 'source');
    writeSession(
      source,
      Array.from({ length: CALLS }, (_, index) => ({
        functionName: `f${index % 3}`,
        inputs: { arg_0: tensorOf('float32', [index, 2]) },
      })),
    );
    const program = await buildExtractor(dir);
    const before = hashTree(source);
    const whole = contentOf(openSession(source)).map(({ recordText: _text, ...rest }) => rest);
    const outcomes = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      const destination = join(dir, 'new', `out${kill}`);
      // From the very start to past the end.
      const steps = 1 + Math.round((kill * (CALLS + 4)) / (KILLS - 1));
      await runUntil(program, [source, destination, kill % 3 === 0 ? 'torch' : ''], steps);
      const isThere = existsSync(destination);
      outcomes.add(isThere ? 'whole' : 'absent');
      if (isThere) {
        const found = contentOf(openSession(destination));
        expect(found.map(({ recordText: _text, ...rest }) => rest)).toEqual(whole);
      }
      const left = existsSync(join(dir, 'new')) ? readdirSync(join(dir, 'new')) : [];
      expect(left.filter((name) => !name.startsWith('.'))).toEqual(isThere ? [`out${kill}`] : []);
      rmSync(join(dir, 'new'), { recursive: true, force: true });
    }
    expect(hashTree(source)).toBe(before);
    expect([...outcomes].sort()).toEqual(['absent', 'whole']);
  }, 120_000);
});
