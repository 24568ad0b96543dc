import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../support/fir.js';

interface Manifest {
  commands: Record<string, { args: Record<string, ArgEntry>; flags: Record<string, FlagEntry> }>;
}
interface ArgEntry {
  required?: boolean;
}
interface FlagEntry {
  type: string;
  char?: string;
  env?: string;
  multiple?: boolean;
}

/** Every command with its arguments, flags, letters and variables: what scripts of users depend on. */
function commandLine(): object {
  const manifest: Manifest = JSON.parse(readFileSync(join(repository, 'oclif.manifest.json'), 'utf8'));
  return mapValues(manifest.commands, ({ args, flags }) => ({
    args: mapValues(args, ({ required }) => (required === true ? 'required' : 'optional')),
    flags: mapValues(flags, ({ type, multiple, char, env }) =>
      [type, multiple === true && 'multiple', char && `-${char}`, env].filter(Boolean).join(' '),
    ),
  }));
}

function mapValues<Value, Result>(object: Record<string, Value>, map: (value: Value) => Result): object {
  const entries = Object.entries(object).map(([name, value]) => [name, map(value)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

test('no command, argument, flag or variable comes or goes unseen', async () => {
  await expect(`${JSON.stringify(commandLine(), null, 2)}\n`).toMatchFileSnapshot('command-snapshot.json');
});
