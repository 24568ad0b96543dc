import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

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

/**
 * The environment of a Python worker. A replay must not be recorded, into the very session that it replays at worst; and
 * parts of PYTHONPATH that are empty or relative would have Python import from the working directory, which may be that
 * of a session from elsewhere.
 */
export function pythonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PYTHONPATH: path = '', ...rest } = Object.fromEntries(
    Object.entries(env).filter(([name]) => !RECORDER.test(name)),
  );
  const kept = path.split(delimiter).filter((part) => isAbsolute(part));
  return kept.length === 0 ? rest : { ...rest, PYTHONPATH: kept.join(delimiter) };
}
