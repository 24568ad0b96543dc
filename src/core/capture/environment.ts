import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { FirError } from '../errors.js';
import { builtFile } from '../package-root.js';
import type { CaptureOptions } from './types.js';

/** The program's environment with recording switched on; what the user had in NODE_OPTIONS stays. */
export function captureEnvironment(options: CaptureOptions, captureId: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...options.env,
    NODE_OPTIONS: withPreload(options.env['NODE_OPTIONS'], builtFile('preload', 'register.cjs')),
    FIR_LOGLEVEL: String(options.level),
    FIR_DUMP_DIR: options.directory,
    FIR_CAPTURE_ID: captureId,
    FIR_DUMP_INCLUDE: options.include.join(','),
    FIR_DUMP_EXCLUDE: options.exclude.join(','),
    FIR_INSTRUMENT: options.instrument.map(absoluteSpec).join('\n'),
    FIR_ASYNC_PARENTS: options.asyncParents ? '1' : '0',
  };
  const userNodeOptions = options.env['NODE_OPTIONS'];
  if (userNodeOptions !== undefined) env['FIR_USER_NODE_OPTIONS'] = userNodeOptions;
  if (options.logDest !== undefined) env['FIR_LOGDEST'] = logDestination(options.logDest);
  if (options.maxSizeGb !== undefined) env['FIR_DUMP_MAX_SIZE_GB'] = String(options.maxSizeGb);
  if (options.maxCount !== undefined) env['FIR_DUMP_MAX_COUNT'] = String(options.maxCount);
  return env;
}

/** Node splits NODE_OPTIONS at spaces; double quotes keep a path together, and a backslash escapes inside them. */
function withPreload(userOptions: string | undefined, registerPath: string): string {
  const quoted = `--require "${registerPath.replaceAll(/["\\]/g, '\\$&')}"`;
  return userOptions === undefined || userOptions.trim() === '' ? quoted : `${quoted} ${userOptions}`;
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
  if (!target.startsWith('.') && !isAbsolute(target)) return spec;
  const path = resolve(target);
  if (!existsSync(path)) {
    throw new FirError('NOT_FOUND', `--instrument names a file that does not exist: ${path}`, {
      where: path,
    });
  }
  return `${path}${spec.slice(at)}`;
}

function logDestination(destination: string): string {
  return destination === 'stderr' || destination === 'stdout' ? destination : resolve(destination);
}
