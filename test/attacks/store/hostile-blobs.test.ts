// What a session may say of contents under blobs/, and what may stand there.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession, type StoredTensor } from '../../../src/core/session/index.js';
import { dedupeSession } from '../../../src/core/store/dedupe-session.js';
import { extractSession } from '../../../src/core/store/index.js';
import { type RecordedCall, writeRecorded } from '../../support/recorded-session.js';
import { hashTree, valuesOf } from '../../support/session-content.js';
import { makeTempDir } from '../../support/temp-dir.js';

const CONTENT = Float32Array.of(1, 2, 3, 4);
const BYTES = Buffer.from(CONTENT.buffer);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

/** Two calls that get the same content. */
function deduped(): string {
  const path = join(makeTempDir(), 'session');
  const call = (): RecordedCall => ({ inputs: { arg_0: CONTENT }, blobs: ['arg_0'] });
  writeRecorded(path, [call(), call()], 'safetensors');
  return path;
}

function plain(): string {
  const path = join(makeTempDir(), 'session');
  const call = (): RecordedCall => ({ inputs: { arg_0: CONTENT.slice() } });
  writeRecorded(path, [call(), call()], 'safetensors');
  return path;
}

/** The text of all records, changed. */
function rewrite(path: string, change: (text: string) => string): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.jsonl')) continue;
    writeFileSync(join(path, name), change(readFileSync(join(path, name), 'utf8')));
  }
}

function first(path: string): { tensor: StoredTensor; close(): void } {
  const session = openSession(path);
  const [call] = session.calls;
  if (call === undefined) throw new Error('no call');
  const dump = session.openDump(call);
  return { tensor: dump.tensor('inputs', 'arg_0'), close: () => dump.close() };
}

/** The code with which each way of reading the values ends. */
function codesOf(path: string): (string | undefined)[] {
  const { tensor, close } = first(path);
  const ways = [
    () => tensor.logicalBytes(),
    () => [...tensor.chunks(4)],
    () => tensor.verify({ values: true }),
    () => tensor.verify(),
  ];
  try {
    return ways.map((read) => {
      try {
        read();
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    });
  } finally {
    close();
  }
}

function all(code: string): string[] {
  return Array(4).fill(code);
}

it.each([
  '../../../etc/passwd',
  `../${SHA256}`,
  SHA256.slice(1),
  SHA256.toUpperCase(),
  `${SHA256}\n`,
  '',
  `${SHA256}/`,
])('content named %j is refused', (name) => {
  const path = deduped();
  rewrite(path, (text) => text.replaceAll(`"sha256":"${SHA256}"`, `"sha256":${JSON.stringify(name)}`));
  expect(codesOf(path)).toEqual(all('UNSAFE_PATH'));
});

describe('what has the name of content', () => {
  const place = (path: string): string => join(path, 'blobs', SHA256);

  it.each([
    ['other content', Buffer.from(BYTES.map((byte) => byte ^ 1))],
    ['less', BYTES.subarray(4)],
    ['more', Buffer.concat([BYTES, BYTES])],
    ['nothing', Buffer.alloc(0)],
  ])('is refused where it is %s', (_, content) => {
    const path = deduped();
    writeFileSync(place(path), content);
    expect(codesOf(path)).toEqual(all('TENSOR_INVALID'));
  });

  it('is refused where it leads out of the session, or is no file', () => {
    const elsewhere = join(makeTempDir(), 'secret');
    writeFileSync(elsewhere, BYTES);
    const linked = deduped();
    rmSync(place(linked));
    symlinkSync(elsewhere, place(linked));
    expect(codesOf(linked)).toEqual(all('UNSAFE_PATH'));
    const pipe = deduped();
    rmSync(place(pipe));
    execFileSync('mkfifo', [place(pipe)]);
    expect(codesOf(pipe)).toEqual(all('UNSAFE_PATH'));
  });

  it('is missing where it is missing, but for a dump that holds it', () => {
    const path = deduped();
    rmSync(place(path));
    expect(codesOf(path)).toEqual(all('TENSOR_DATA_MISSING'));
    const [dump = ''] = openSession(path).calls.map((call) => call.dump);
    writeFileSync(join(path, dump, `${SHA256}.blob`), BYTES);
    expect(codesOf(path)).toEqual([undefined, undefined, undefined, undefined]);
    writeFileSync(
      join(path, dump, `${SHA256}.blob`),
      BYTES.map((byte) => byte ^ 1),
    );
    expect(codesOf(path)).toEqual(all('TENSOR_INVALID'));
  });

  it('is refused where blobs/ leads out of the session', () => {
    const path = deduped();
    const elsewhere = join(makeTempDir(), 'blobs');
    renameSync(join(path, 'blobs'), elsewhere);
    symlinkSync(elsewhere, join(path, 'blobs'));
    expect(codesOf(path)).toEqual(all('UNSAFE_PATH'));
  });

  it('is never allocated by what a record claims', () => {
    const path = deduped();
    rewrite(path, (text) => text.replaceAll('"shape":[4]', '"shape":[1099511627776]'));
    expect(codesOf(path)).toEqual(all('TENSOR_INVALID'));
  });
});

it.each([
  '7',
  '[]',
  '{"arg_0":7}',
  '{"arg_0":{"sha256":7}}',
  '{"__proto__":{"sha256":"x"},"constructor":{"sha256":"x"}}',
])('where changed arguments stand is not believed: %s', (field) => {
  const path = join(makeTempDir(), 'session');
  writeRecorded(
    path,
    [{ inputs: { arg_0: CONTENT }, mutated: { arg_0: Float32Array.of(5, 6, 7, 8) } }],
    'safetensors',
  );
  const before = valuesOf(openSession(path));
  rewrite(path, (text) =>
    text.replaceAll('"mutated_tensor_keys"', `"mutated_data":${field},"mutated_tensor_keys"`),
  );
  expect(valuesOf(openSession(path))).toEqual(before);
});

it('a changed argument whose content is not there is an error of its own', () => {
  const path = join(makeTempDir(), 'session');
  writeRecorded(path, [{ inputs: { arg_0: CONTENT }, mutated: { arg_0: CONTENT } }], 'safetensors');
  const data = `"mutated_data":{"arg_0":{"sha256":"${'0'.repeat(64)}"}},"mutated_tensor_keys"`;
  rewrite(path, (text) => text.replaceAll('"mutated_tensor_keys"', data));
  const [input, mutated] = valuesOf(openSession(path))[0]?.tensors ?? [];
  expect(input?.values).toBe(SHA256);
  expect(mutated?.values).toBe('the blob of "arg_0" is missing');
});

describe('storing contents once', () => {
  const options = { minBytes: 1 };

  it('writes nothing through links that stand in its way', async () => {
    for (const name of ['blobs', '.dropped']) {
      const path = plain();
      const elsewhere = makeTempDir();
      symlinkSync(elsewhere, join(path, name));
      const before = valuesOf(openSession(path));
      await expect(dedupeSession(path, options)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      expect(readdirSync(elsewhere)).toEqual([]);
      expect(valuesOf(openSession(path))).toEqual(before);
    }
  });

  it('leaves dumps, files and indexes that are links as they are', async () => {
    const path = plain();
    const elsewhere = makeTempDir();
    const [first = '', second = ''] = openSession(path).calls.map((call) => call.dump);
    renameSync(join(path, first), join(elsewhere, 'dump'));
    symlinkSync(join(elsewhere, 'dump'), join(path, first));
    renameSync(join(path, second, 'inputs.safetensors'), join(path, 'inputs.safetensors'));
    symlinkSync(join(path, 'inputs.safetensors'), join(path, second, 'inputs.safetensors'));
    const tree = hashTree(elsewhere);
    expect(await dedupeSession(path, options)).toMatchObject({ tensors: 0, calls: 0 });
    expect(hashTree(elsewhere)).toBe(tree);
    expect(existsSync(join(path, 'blobs'))).toBe(false);
  });

  it('refuses an index that is a link, and keeps all values', async () => {
    const path = plain();
    const elsewhere = join(makeTempDir(), 'index');
    renameSync(join(path, 'session.jsonl'), elsewhere);
    symlinkSync(elsewhere, join(path, 'session.jsonl'));
    const text = readFileSync(elsewhere, 'utf8');
    await expect(dedupeSession(path, options)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    expect(readFileSync(elsewhere, 'utf8')).toBe(text);
  });

  it('never takes values out of a file on the word of a record that names content which is not there', async () => {
    const path = plain();
    const before = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.safetensors'),
    );
    rewrite(path, (text) =>
      text.replaceAll(
        /"data":\{"file":"inputs\.safetensors","key":"arg_0"\}/g,
        `"data":{"sha256":"${SHA256}"}`,
      ),
    );
    await dedupeSession(path, options);
    mkdirSync(join(path, 'blobs'), { recursive: true });
    writeFileSync(
      join(path, 'blobs', SHA256),
      BYTES.map((byte) => byte ^ 1),
    );
    expect(await dedupeSession(path, options)).toMatchObject({ calls: 0 });
    const after = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.safetensors'),
    );
    expect(after).toEqual(before);
  });
});

it('an extraction takes no content that leads out of the session', async () => {
  const path = deduped();
  const elsewhere = join(makeTempDir(), 'secret');
  writeFileSync(elsewhere, BYTES);
  rmSync(join(path, 'blobs', SHA256));
  symlinkSync(elsewhere, join(path, 'blobs', SHA256));
  const session = openSession(path);
  for (const plain of [false, true]) {
    const destination = join(makeTempDir(), 'out');
    await extractSession({ session, calls: [1], destination, plain });
    expect(existsSync(join(destination, 'blobs', SHA256))).toBe(false);
  }
});
