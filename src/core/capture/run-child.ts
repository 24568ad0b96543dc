import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { FirError } from '../errors.js';

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** Runs the command to its end with our stdin, stdout and stderr; signals sent to us go to it. */
export function runChild(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ exitCode?: number; signal?: NodeJS.Signals }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: 'inherit', env });
    const forward = (signal: NodeJS.Signals): void => {
      // A terminal's Ctrl-C reaches its whole foreground group: the child has it already.
      if (FROM_KEYBOARD.includes(signal) && isForegroundOfTerminal()) return;
      child.kill(signal);
    };
    for (const signal of PASSED_ON) process.on(signal, forward);
    const finish = (): void => {
      for (const signal of PASSED_ON) process.off(signal, forward);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      finish();
      reject(spawnFailure(command, error));
    });
    child.once('close', (code, signal) => {
      finish();
      resolve(signal === null ? { exitCode: code ?? 0 } : { signal });
    });
  });
}

function spawnFailure(command: string, error: NodeJS.ErrnoException): FirError {
  if (error.code === 'ENOENT') {
    return new FirError('COMMAND_NOT_FOUND', `${command}: command not found`, { cause: error });
  }
  if (error.code === 'EACCES' || error.code === 'ENOEXEC') {
    return new FirError('COMMAND_NOT_EXECUTABLE', `${command}: permission denied or not a program`, {
      hint: 'check that the file is executable',
      cause: error,
    });
  }
  return new FirError('CAPTURE_FAILED', `${command} could not be started: ${error.message}`, {
    cause: error,
  });
}

/** Whether our process group is the one that the terminal sends its signals to. Source: proc(5), stat fields 5 and 8. */
function isForegroundOfTerminal(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[5]) > 0 && fields[2] === fields[5];
  } catch {
    return process.stdin.isTTY === true || process.stderr.isTTY === true;
  }
}
