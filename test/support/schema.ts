import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const folder = fileURLToPath(new URL('../../docs/schema', import.meta.url));

/** Holds a document against the schema of its own `format`. */
export function expectValid(document: unknown): void {
  const ajv = new Ajv2020({ allErrors: true });
  for (const name of readdirSync(folder)) ajv.addSchema(JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const { format } = document as { format: string };
  expect(ajv.validate(format, document), ajv.errorsText()).toBe(true);
}
