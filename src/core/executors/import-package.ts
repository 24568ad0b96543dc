import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { FirError } from '../errors.js';

export interface ImportedPackage {
  /** `module.exports` of a CommonJS package, the namespace of another. */
  exports: Record<string, unknown>;
  version: string | undefined;
}

/**
 * Loads a package by its name as a module in `base` would: the entry point that its package.json gives, or one file
 * of it.
 *
 * @throws FirError MODULE_NOT_FOUND. What the package's own code throws passes through.
 */
export async function importPackage(name: string, base: string, subpath?: string): Promise<ImportedPackage> {
  if (
    name.startsWith('.') ||
    name.includes('..') ||
    builtinModules.includes(name) ||
    name.startsWith('node:')
  ) {
    throw new FirError('MODULE_NOT_FOUND', `'${name}' is no package`);
  }
  const directory = findPackage(name, base);
  if (directory === undefined) {
    throw new FirError('MODULE_NOT_FOUND', `package ${name} is not installed where the replay looks`, {
      where: base,
      hint: `install it there (npm install ${name}), or name the application's directory with --app`,
    });
  }
  const version = versionOf(directory);
  if (subpath !== undefined) return { exports: await importFile(fileOf(name, directory, subpath)), version };
  try {
    return { exports: createRequire(join(base, 'noop.js'))(name), version };
  } catch (error) {
    if (!isForEsm(error)) throw error;
    return { exports: await importFrom(base, name), version };
  }
}

/** The namespace of a file. FirError MODULE_NOT_FOUND where there is none. */
export async function importFile(path: string): Promise<Record<string, unknown>> {
  if (!existsSync(path)) {
    throw new FirError('MODULE_NOT_FOUND', `there is no module at ${path}`, {
      hint: 'check --app: recorded modules are looked up from the directory of their package.json',
    });
  }
  return import(pathToFileURL(path).href);
}

/** The directory of an installed package, symbolic links resolved. */
function findPackage(name: string, base: string): string | undefined {
  for (let at = resolve(base); ; at = dirname(at)) {
    const directory = join(at, 'node_modules', name);
    if (existsSync(join(directory, 'package.json'))) return realpathSync(directory);
    if (at === dirname(at)) return undefined;
  }
}

function fileOf(name: string, directory: string, subpath: string): string {
  const path = join(directory, subpath);
  const inside = existsSync(path) ? relative(directory, realpathSync(path)) : subpath;
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new FirError('NOT_ALLOWED', `${subpath} leads out of package ${name}`, { where: directory });
  }
  return path;
}

function versionOf(directory: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return typeof version === 'string' ? version : undefined;
  } catch {
    return undefined;
  }
}

function isForEsm(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return (
    code === 'ERR_REQUIRE_ESM' ||
    code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ||
    code === 'ERR_REQUIRE_ASYNC_MODULE'
  );
}

/** `import(name)` as a module in `base` would resolve it; only code that stands there can say so. */
function importFrom(base: string, name: string): Promise<Record<string, unknown>> {
  const script = new Script('(name) => import(name)', {
    filename: join(base, 'noop.js'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext()(name);
}
