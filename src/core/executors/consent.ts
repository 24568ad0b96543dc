import { realpathSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { ADAPTERS } from '../adapters/index.js';
import type { Resolution } from '../model/call.js';
import { matchesPattern } from '../select/index.js';
import { shellWord } from '../shell-word.js';
import type { CodePlace, Language, ReplayTarget } from './contract.js';

/** What the user agreed to on the command line. */
export interface ConsentOptions {
  app: string | undefined;
  cwd: string;
  allow: readonly string[];
  targets: readonly ReplayTarget[];
  /** The recorded programs' entry files, as their headers name them. */
  entryFiles: readonly string[];
}

export type Consent = { place: CodePlace } | { refused: string };

const PYTHON_MODULE = /^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u;
/** A name to which Python itself gives a meaning, as of a package's program. */
const RUNS_A_PROGRAM = /(^|\.)__[^.]*__(\.|$)/;
const WORKERS_OWN = /^fir_replay(\.|$)/;
const FLASHINFER = /^flashinfer(\.|$)/;
const COLLECTIVES = /^flashinfer\.comm(\.|$)/;
const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i;

/**
 * Decides what may be loaded for a call: nothing that the record names is imported unless the user's flags cover it.
 * `refused` says what is missing and which flag gives it.
 */
export function askConsent(
  functionName: string,
  resolution: Resolution | undefined,
  options: ConsentOptions,
): Consent {
  const target = findTarget(functionName, options);
  if (target !== undefined) {
    if (isPythonFile(target.file) && resolution?.kind !== 'python') {
      return refuse(`${target.file} is Python, and the call was recorded in JavaScript`, undefined);
    }
    const path = resolve(options.cwd, target.file);
    const isClass = !matchesPattern(target.function, functionName);
    return { place: { kind: 'target', path, export: target.export, isClass } };
  }
  switch (resolution?.kind) {
    case 'module':
      return consentToModule(functionName, resolution, options);
    case 'package':
      return consentToPackage(functionName, resolution, options);
    case 'adapter':
      return consentToAdapter(resolution);
    case 'python':
      return consentToPython(functionName, resolution.module, options);
    default:
      return refuse(
        'how to find the function was not recorded',
        `--target ${shellWord(`${functionName}=./file.js#export`)}`,
      );
  }
}

/** What runs a call: the language in which it was recorded, but for a stand-in that has its own. */
export function languageOf(
  call: { functionName: string; recorder: 'fir' | 'foreign' },
  options: Pick<ConsentOptions, 'targets'>,
): Language {
  if (call.recorder === 'fir') return 'javascript';
  const target = findTarget(call.functionName, options);
  return target === undefined || isPythonFile(target.file) ? 'python' : 'javascript';
}

function isPythonFile(path: string): boolean {
  return path.endsWith('.py');
}

function findTarget(
  functionName: string,
  { targets }: Pick<ConsentOptions, 'targets'>,
): ReplayTarget | undefined {
  return targets.find((candidate) => isTargetOf(candidate, functionName));
}

/** By its name, or for a member by its class's. */
function isTargetOf(target: ReplayTarget, functionName: string): boolean {
  const dot = functionName.lastIndexOf('.');
  return (
    matchesPattern(target.function, functionName) ||
    (dot > 0 && target.function === functionName.slice(0, dot))
  );
}

function consentToModule(
  functionName: string,
  resolution: Extract<Resolution, { kind: 'module' }>,
  options: ConsentOptions,
): Consent {
  const { app } = options;
  const { module } = resolution;
  if (
    isAbsolute(module) ||
    /^[A-Za-z]:/.test(module) ||
    posix.normalize(module.replaceAll('\\', '/')).startsWith('..')
  ) {
    return refuse(`the recorded module path '${module}' leads out of the application`, undefined);
  }
  if (app === undefined) {
    return refuse(
      `${module} is a module of the application`,
      `--app <its directory> (recorded in ${resolution.root})`,
    );
  }
  const root = realPath(app);
  const path = realPath(join(root, module));
  const inside = relative(root, path);
  if (inside === '' || inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside)) {
    return refuse(`${module} leads out of ${app}`, undefined);
  }
  const place: CodePlace = { kind: 'file', path, export: resolution.export };
  const packageName = packageOf(inside) ?? packageOf(module);
  if (packageName !== undefined) {
    const names = [packageName, module, ...namesOf(functionName, resolution.export)];
    return isAllowed(names, options)
      ? { place }
      : refuse(`${module} is in a package`, `--allow ${shellWord(packageName)}`);
  }
  if (options.entryFiles.some((entry) => isEntry(entry, resolve(resolution.root, module)))) {
    const names = [module, ...namesOf(functionName, resolution.export)];
    return isAllowed(names, options)
      ? { place }
      : refuse(
          `${module} is the program's entry file, and importing it would run the program`,
          `--allow ${shellWord(module)}`,
        );
  }
  return { place };
}

function consentToPackage(
  functionName: string,
  resolution: Extract<Resolution, { kind: 'package' }>,
  options: ConsentOptions,
): Consent {
  const { package: name, subpath, export: exportName, version } = resolution;
  const names = [name, ...namesOf(functionName, exportName)];
  const builtin = name.replace(/^node:/, '');
  if (name.startsWith('node:') || builtinModules.includes(name)) {
    const flag = `--allow ${shellWord(`node:${builtin}`)}`;
    return isAllowed([`node:${builtin}`, builtin], options)
      ? { place: { kind: 'builtin', name: `node:${builtin}`, export: exportName } }
      : refuse(`${name} is built into Node`, flag);
  }
  if (!PACKAGE_NAME.test(name)) return refuse(`'${name}' is no package name`, undefined);
  if (subpath !== undefined && (isAbsolute(subpath) || posix.normalize(subpath).startsWith('..'))) {
    return refuse(`the recorded path '${subpath}' leads out of package ${name}`, undefined);
  }
  return isAllowed(names, options)
    ? { place: { kind: 'package', package: name, subpath, export: exportName, version } }
    : refuse(`${name} is a package`, `--allow ${shellWord(name)}`);
}

function consentToAdapter(resolution: Extract<Resolution, { kind: 'adapter' }>): Consent {
  const adapter = ADAPTERS.find(({ name }) => name === resolution.adapter);
  if (adapter === undefined) return refuse(`this fir has no adapter '${resolution.adapter}'`, undefined);
  if (!adapter.packages.includes(resolution.package)) {
    return refuse(`${resolution.package} is no package of adapter '${adapter.name}'`, undefined);
  }
  const { package: name, version } = resolution;
  return { place: { kind: 'adapter', adapter: adapter.name, package: name, version } };
}

/** Modules of FlashInfer are known, but for those whose functions wait for other ranks. */
function consentToPython(functionName: string, module: string, options: ConsentOptions): Consent {
  if (!PYTHON_MODULE.test(module)) return refuse(`'${module}' is no name of a Python module`, undefined);
  if (RUNS_A_PROGRAM.test(module)) {
    const what =
      module === '__main__'
        ? "it is a function of the program's entry file, and importing that would run the program"
        : `importing ${module} would run a program`;
    return refuse(what, `--target ${shellWord(`${functionName}=./file.py#${functionName}`)}`);
  }
  if (WORKERS_OWN.test(module)) return refuse(`${module} is the replay worker's own`, undefined);
  const isCollective = COLLECTIVES.test(module);
  const isKnown = FLASHINFER.test(module) && !isCollective;
  if (isKnown || isAllowed([module, `${module}.${functionName}`], options))
    return { place: { kind: 'python', module } };
  const what = isCollective
    ? `${module} is for collective operations, which would wait for ranks that are not here`
    : `${module} is a Python module that is not FlashInfer's`;
  return refuse(what, `--allow ${shellWord(module)}`);
}

function refuse(what: string, flag: string | undefined): Consent {
  return { refused: flag === undefined ? what : `${what}; add ${flag}` };
}

/** Whether a pattern of `--allow` covers one of the names that a piece of code goes by. */
export function isAllowed(names: readonly string[], options: Pick<ConsentOptions, 'allow'>): boolean {
  return options.allow.some((pattern) => names.some((name) => matchesPattern(pattern, name)));
}

/** A function's name counts only where it names the export: a record could call `execSync` by any name. */
function namesOf(functionName: string, exportName: string): string[] {
  const parts = functionName.split('.');
  const exported = exportName.split('.').at(-1);
  return exported === parts[0] || exported === parts.at(-1) ? [functionName] : [];
}

function packageOf(path: string): string | undefined {
  const parts = path.split(/[\\/]/);
  const at = parts.lastIndexOf('node_modules');
  if (at < 0) return undefined;
  const [scope, name] = parts.slice(at + 1);
  return scope?.startsWith('@') ? `${scope}/${name}` : (scope ?? '');
}

function isEntry(entry: string, recordedPath: string): boolean {
  const withoutExtension = (path: string) => path.replace(/\.[^./\\]+$/, '');
  // Of a redacted recording both are relative.
  return withoutExtension(resolve(entry)) === withoutExtension(recordedPath);
}

/** The path itself where it, or a part of it, does not exist: loading it says so. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
