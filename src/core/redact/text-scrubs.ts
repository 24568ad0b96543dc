const QUOTED = /(["'`])(?:\\.|(?!\1)[^\\])*(?:\1|\\?$)/gs;
const NAME = /^[A-Za-z_$][\w$.]*$/;
const LONGEST_NAME = 80;
/** Of what the encoder shows of a name in a path. */
const SHOWN_OF_NAME = 64;

/** A parameter list without the texts among its defaults. */
export function scrubSignature(signature: string): string {
  return signature.replaceAll(QUOTED, (_, quote: string) => `${quote}…${quote}`);
}

/** The name of a class as it is, and anything else as `fallback`: whatever sets a name may put content there. */
export function scrubName(name: string, fallback: string): string {
  return name.length <= LONGEST_NAME && NAME.test(name) ? name : fallback;
}

/** Why a call can't be replayed, without what stood in it of the keys of maps and of messages. */
export function scrubReason(reason: string, mapKeys: ReadonlySet<string>): string {
  let scrubbed = reason.replace(/\b(not readable|could not be described): .*/s, '$1');
  for (const key of mapKeys) {
    const shown = key.slice(0, SHOWN_OF_NAME);
    if (shown === '') continue;
    scrubbed = scrubbed.replaceAll(`[${JSON.stringify(shown)}]`, '[…]');
    if (NAME.test(shown))
      scrubbed = scrubbed.replaceAll(new RegExp(`\\.${escaped(shown)}(?![\\w$])`, 'g'), '[…]');
  }
  return scrubbed;
}

/** What the recorder could not do, without what was said about it, which may name files and values. */
export function scrubFault(message: string): string {
  return /^[a-z]{1,20}(?:: [A-Z][A-Z0-9_]{2,30}(?=:))?/.exec(message)?.[0] ?? 'an error';
}

function escaped(text: string): string {
  return text.replaceAll(/[.$]/g, '\\$&');
}
