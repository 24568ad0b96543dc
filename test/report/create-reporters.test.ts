import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createReporters } from '../../src/report/create-reporters.js';
import { makeTempDir } from '../support/temp-dir.js';
import { BEGIN, summaryOf } from './replay-results.js';

async function names(specifications: string[]): Promise<string[]> {
  const reporters = await createReporters(specifications);
  return reporters.map(({ name }) => name);
}

test('the terminal report is there unless another has stdout', async () => {
  const directory = makeTempDir();
  expect(await names([])).toEqual(['pretty']);
  expect(await names(['json'])).toEqual(['json']);
  expect(await names(['github'])).toEqual(['github']);
  expect(await names(['pretty', 'github'])).toEqual(['pretty', 'github']);
  expect(await names([`json:${join(directory, 'r.json')}`])).toEqual(['pretty', 'json']);
});

test.each([
  [['json', 'pretty'], "can't share stdout"],
  [['junit', 'github'], "can't share stdout"],
  [['xml'], "no reporter 'xml'"],
  [['constructor'], "no reporter 'constructor'"],
  [['json:'], "names no file after ':'"],
])('%j is wrong usage', async (specifications, message) => {
  await expect(createReporters(specifications)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(message),
  });
});

test('a file is made with its folder, and is whole when the replay has ended', async () => {
  const path = join(makeTempDir(), 'reports', 'a:b.json');
  const [, json] = await createReporters([`json:${path}`]);
  expect(existsSync(path)).toBe(true);
  await json?.onBegin?.(BEGIN);
  await json?.onEnd?.(summaryOf());
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ format: 'fir.replay/1' });
});

test('a file that can not be written is known before anything runs', async () => {
  await expect(createReporters(['junit:/dev/null/report.xml'])).rejects.toMatchObject({
    code: 'REPORT_FAILED',
    where: '/dev/null/report.xml',
  });
});

test('a full disk is an error of the report', async () => {
  const [, json] = await createReporters(['json:/dev/full']);
  await json?.onBegin?.(BEGIN);
  await expect(json?.onEnd?.(summaryOf())).rejects.toThrow('ENOSPC');
});
