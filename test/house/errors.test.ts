import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/core/errors.js';
import { repository } from '../support/fir.js';

test('docs/errors.md explains every code, in the order of the source, and no other', () => {
  const page = readFileSync(join(repository, 'docs', 'errors.md'), 'utf8');
  const sections = page.split(/^### /m).slice(1);
  expect(sections.map((section) => section.split('\n')[0])).toEqual([...ERROR_CODES]);
  for (const section of sections)
    expect(section.split('\n').slice(1).join(' ').trim().length).toBeGreaterThan(40);
});

test('the schema of errors knows the same codes', () => {
  const schema = JSON.parse(readFileSync(join(repository, 'docs', 'schema', 'error.schema.json'), 'utf8'));
  expect(schema.$defs.error.properties.code.enum).toEqual([...ERROR_CODES]);
});
