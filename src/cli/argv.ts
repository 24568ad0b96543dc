/**
 * Splits a command line at its first `--`. What follows belongs to somebody else and is never looked into; a second
 * `--` directly behind the first, as package managers add one, is dropped.
 */
export function splitAtDoubleDash(argv: readonly string[]): { own: string[]; rest: string[] | undefined } {
  const at = argv.indexOf('--');
  if (at < 0) return { own: [...argv], rest: undefined };
  const rest = argv.slice(at + 1);
  return { own: argv.slice(0, at), rest: rest[0] === '--' ? rest.slice(1) : rest };
}

/** Whether the user asked for one JSON document on stdout, known before any flag is parsed. */
export function wantsJson(argv: readonly string[]): boolean {
  const { own } = splitAtDoubleDash(argv);
  return own.some(
    (argument, index) =>
      argument === '--json' ||
      argument === '--reporter=json' ||
      (argument === '--reporter' && own[index + 1] === 'json'),
  );
}
