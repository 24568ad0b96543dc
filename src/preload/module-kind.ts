import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ESM_SYNTAX = /^\s*(?:import\b\s*[\w{*'"]|export\b\s*[\w{*])/m;

/** Whether Node takes a file as an ES module. Source: nodejs.org/api/packages.html, "Determining module system". */
export function isEsModule(path: string): boolean {
  if (/\.m[jt]s$/.test(path)) return true;
  if (/\.c[jt]s$/.test(path)) return false;
  const type = typeOfPackage(path);
  return type === undefined ? ESM_SYNTAX.test(readFileSync(path, 'utf8')) : type === 'module';
}

function typeOfPackage(path: string): string | undefined {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    try {
      const { type } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { type?: string };
      return type;
    } catch {
      if (directory === dirname(directory)) return undefined;
    }
  }
}
