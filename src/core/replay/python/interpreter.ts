import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * The Python that runs calls: the one that the user names, else that of the activated virtual environment, else
 * `python3` on the PATH.
 */
export function findInterpreter(named: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  if (named !== undefined) return /[\\/]/.test(named) ? resolve(cwd, named) : named;
  const { VIRTUAL_ENV: environment = '' } = env;
  const places =
    environment === '' ? [] : [join(environment, 'bin', 'python3'), join(environment, 'bin', 'python')];
  return places.find((place) => existsSync(place)) ?? 'python3';
}

const RECORDER = /^FLASHINFER_(LOGLEVEL|LOGDEST|DUMP_.*|TRACE_DUMP.*)$/;

/** A replay must not be recorded, into the very session that it replays at worst. */
export function withoutRecorder(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !RECORDER.test(name)));
}
