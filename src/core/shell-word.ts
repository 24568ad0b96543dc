/** Text as one word of a shell's command line, whatever is in it: for what a message proposes to type. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
