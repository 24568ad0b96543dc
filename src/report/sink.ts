import { createWriteStream, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CommandExit } from '../cli/failure.js';
import { Output } from '../cli/output.js';
import { FirError, messageOf } from '../core/errors.js';

/** Where a report goes. `close` completes a file and leaves stdout open. */
export interface Sink {
  write(text: string): Promise<void>;
  /** Hands on what was gathered. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What is written after the reader of stdout has gone is dropped. */
export function stdoutSink(): Sink {
  const output = new Output(process.stdout);
  return { write: (text) => output.write(text), flush: () => output.flush(), close: () => output.flush() };
}

/** As `stdoutSink`, for a command that has nothing left to do when its reader has gone: it ends, quietly, with 0. */
export function stdoutSinkUntilClosed(): Sink {
  const output = new Output(process.stdout);
  const passing = async (written: Promise<void>) => {
    await written;
    if (output.isClosed) throw new CommandExit(0);
  };
  return {
    write: (text) => passing(output.write(text)),
    flush: () => passing(output.flush()),
    close: () => passing(output.flush()),
  };
}

/** A new file, its folder made where it is missing. FirError REPORT_FAILED. */
export function fileSink(path: string): Sink {
  try {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    // Opened here and now, so that a bad path is known before hours of replay.
    const output = new Output(createWriteStream(path, { fd: openSync(path, 'w') }));
    return { write: (text) => output.write(text), flush: () => output.flush(), close: () => output.end() };
  } catch (error) {
    throw new FirError('REPORT_FAILED', `the report file can't be written: ${messageOf(error)}`, {
      where: path,
      cause: error,
      hint: 'Choose another file: --reporter NAME:FILE',
    });
  }
}
