import { dumpNameFrom } from './safe-path.js';

const KEY = Buffer.from('"dump_dir"');
const VALUE = /^\s*:\s*"([^"\\]*)"/;
/** A path that a file system takes is no longer. */
const LONGEST_VALUE = 4200;

/**
 * Whether a record may be about one of the dumps that `isWanted` knows, as a look at its text tells without parsing it:
 * false only where it surely is not. What an argument of that name holds is taken for a dump's directory, too.
 */
export function mayBeAbout(bytes: Buffer, isWanted: (dump: string) => boolean): boolean {
  let named = 0;
  for (let at = bytes.indexOf(KEY); at >= 0; at = bytes.indexOf(KEY, at + KEY.length)) {
    const begin = at + KEY.length;
    const directory = VALUE.exec(bytes.toString('utf8', begin, begin + LONGEST_VALUE))?.[1];
    if (directory === undefined || isWanted(dumpNameFrom(directory) ?? directory)) return true;
    named += 1;
  }
  return named === 0;
}
