import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { FirError } from '../errors.js';
import { builtFile } from '../package-root.js';
import { makeRedactionKey } from '../redact/index.js';
import { flashinferEnvironment } from './flashinfer-environment.js';
import type { CaptureOptions } from './types.js';

/** The program's environment with recording switched on; what the user had in NODE_OPTIONS stays. */
export function captureEnvironment(options: CaptureOptions, captureId: string): NodeJS.ProcessEnv {
  const preload = preloadOption(builtFile('preload', 'register.cjs'));
  const userNodeOptions = withoutPreload(options.env['NODE_OPTIONS'], preload);
  const env: NodeJS.ProcessEnv = {
    ...options.env,
    NODE_OPTIONS: userNodeOptions === undefined ? preload : `${preload} ${userNodeOptions}`,
    FIR_LOGLEVEL: String(options.level),
    FIR_DUMP_DIR: options.directory,
    FIR_CAPTURE_ID: captureId,
    FIR_DUMP_INCLUDE: options.include.join(','),
    FIR_DUMP_EXCLUDE: options.exclude.join(','),
    FIR_INSTRUMENT: options.instrument.map(absoluteSpec).join('\n'),
    FIR_DUMP_ON_LIMIT: options.onLimit,
    FIR_ASYNC_PARENTS: options.asyncParents ? '1' : '0',
    FIR_DUMP_DEDUPE: options.dedupe ? '1' : '0',
    ...flashinferEnvironment(options),
  };
  if (options.redact) {
    env['FIR_DUMP_REDACT'] = '1';
    env['FIR_REDACT_KEY'] ??= makeRedactionKey();
  }
  if (userNodeOptions !== undefined) env['FIR_USER_NODE_OPTIONS'] = userNodeOptions;
  if (options.logDest !== undefined) env['FIR_LOGDEST'] = logDestination(options.logDest);
  if (options.formatSaid !== undefined) {
    env['FIR_DUMP_SAFETENSORS'] = options.formatSaid === 'torch' ? '0' : '1';
  }
  if (options.maxSizeGb !== undefined) env['FIR_DUMP_MAX_SIZE_GB'] = String(options.maxSizeGb);
  if (options.maxPerFunction !== undefined) {
    env['FIR_DUMP_MAX_PER_FUNCTION'] = String(options.maxPerFunction);
  }
  if (options.maxCount !== undefined) env['FIR_DUMP_MAX_COUNT'] = String(options.maxCount);
  return env;
}

/** Node splits NODE_OPTIONS at spaces; double quotes keep a path together, and a backslash escapes inside them. */
function preloadOption(registerPath: string): string {
  return `--require "${registerPath.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** What the user set; a capture that runs inside another one finds our own option there. */
function withoutPreload(nodeOptions: string | undefined, preload: string): string | undefined {
  const own = nodeOptions?.startsWith(preload) ? nodeOptions.slice(preload.length) : nodeOptions;
  return own === undefined || own.trim() === '' ? undefined : own.trimStart();
}

/** The program may change its working directory: files are named absolutely. */
function absoluteSpec(spec: string): string {
  const at = spec.lastIndexOf('#');
  const target = at < 0 ? spec : spec.slice(0, at);
  if (at < 0 || at === spec.length - 1 || target === '') {
    throw new FirError('USAGE', `--instrument ${spec} names no exports`, {
      hint: "say which functions to record: --instrument './kernels.js#gemm,Attention'",
    });
  }
  const path = resolve(target);
  const isPackage = !target.startsWith('.') && !isAbsolute(target);
  if (isPackage && statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return spec;
  try {
    // Node knows a module by the real path of its file.
    return `${realpathSync(path)}${spec.slice(at)}`;
  } catch (error) {
    throw new FirError('NOT_FOUND', `--instrument names a file that does not exist: ${path}`, {
      where: path,
      cause: error,
    });
  }
}

function logDestination(destination: string): string {
  return destination === 'stderr' || destination === 'stdout' ? destination : resolve(destination);
}
