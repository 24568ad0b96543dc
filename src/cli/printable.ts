/** Control characters, and the marks that reorder text on a terminal or in a review tool. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/**
 * Text from a session, made safe to print: one line, no escape sequence, no reordering. Newlines become `\n`,
 * other control characters `\xNN` or `\uNNNN`. Everything that a session or a recorded program had a say in goes
 * through here before it reaches a terminal.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** Lines that begin so are commands to a CI that reads what its jobs print. */
const CI_COMMAND = /^(\s*)(?=::|##\[)(.)/;

/** As `printable`, but the text keeps its lines: one printable string a line, tabs as spaces, none a CI's command. */
export function printableLines(text: string): string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) =>
    printable(line.replaceAll('\t', '    ')).replace(
      CI_COMMAND,
      (_, indent: string, first: string) => indent + hexEscape(first),
    ),
  );
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return hexEscape(character);
}

function hexEscape(character: string): string {
  const code = character.charCodeAt(0);
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
}
