import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import { describeArguments, describeThrown, type LogRedaction } from './describe-call.js';
import type { Level } from './settings.js';

/** The recorder's log: warnings at every level, calls at levels 1 to 5. */
export interface CallLog {
  call(functionName: string, level: Level, args: readonly unknown[]): void;
  result(functionName: string, level: Level, durationUs: number, result: unknown, error: unknown): void;
  warn(message: string): void;
}

/** `stderr`, `stdout` or a path; `%i` in it is the process id. Written synchronously, so that a crash loses nothing. */
export function createLog(destination: string, redaction?: LogRedaction): CallLog {
  const logger = pino({ name: 'fir', base: { pid: process.pid } }, streamFor(destination));
  return {
    call: (functionName, level, args) => {
      if (level < 3) logger.info({ call: functionName });
      else logger.info({ call: functionName, arguments: describeArguments(args, level >= 5, redaction) });
    },
    result: (functionName, level, durationUs, result, error) => {
      if (level < 3) return;
      if (error !== undefined)
        logger.info({ call: functionName, durationUs, threw: describeThrown(error, redaction) });
      else {
        const [shown] = describeArguments([result], level >= 5, redaction);
        logger.info({ call: functionName, durationUs, result: shown });
      }
    },
    warn: (message) => logger.warn(message),
  };
}

function streamFor(destination: string): pino.DestinationStream {
  const stream = pino.destination({ ...targetFor(destination), sync: true });
  // A log that can't be written, a full disk say, is no reason for the program to end.
  stream.on('error', () => undefined);
  return stream;
}

function targetFor(destination: string): { fd: number } | { dest: string; mode: number } {
  if (destination === 'stdout') return { fd: 1 };
  if (destination === 'stderr') return { fd: 2 };
  const path = destination.replaceAll('%i', String(process.pid));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return { dest: path, mode: 0o600 };
}
