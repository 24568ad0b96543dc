import { loadPaint } from './colour.js';
import { errorDocument, type Failure, ToldFailure } from './failure.js';
import { printable, printableLines } from './printable.js';

/** Tells a failure: for people on stderr; with --json also as the one document on stdout. */
export async function reportFailure(
  thrown: unknown,
  failure: Failure,
  options: { json: boolean; debug: boolean },
): Promise<void> {
  if (options.json && !(thrown instanceof ToldFailure)) {
    await writeTo(process.stdout, `${JSON.stringify(errorDocument(failure))}\n`);
  }
  await writeTo(process.stderr, await failureText(failure, options.debug));
}

async function failureText(failure: Failure, debug: boolean): Promise<string> {
  const paint = await loadPaint(process.stderr, process.env);
  const [first = '', ...more] = printableLines(failure.message);
  const lines = [`${paint.bad('fir:')} ${first}`, ...more.map((line) => `  ${line}`)];
  if (failure.where !== undefined && !failure.message.includes(failure.where)) {
    lines.push(`  ${paint.faint('at')} ${printable(failure.where)}`);
  }
  if (failure.hint !== undefined) {
    lines.push(...printableLines(failure.hint).map((line) => `  ${paint.faint('→')} ${line}`));
  }
  if (debug && failure.stack !== undefined) lines.push(...printableLines(failure.stack));
  return `${lines.join('\n')}\n`;
}

/** Resolves when the text is out, or its reader gone. */
function writeTo(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write(text, () => resolve());
  });
}
