import type { WriteStream } from 'node:tty';

/** Roles of text, not colours: what each looks like is decided here alone. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** Leaves text as it is. */
export const PLAIN: Paint = { good: same, bad: same, warn: same, strong: same, faint: same };

/** Colours for a stream; chalk is loaded only where there is colour to show. */
export async function loadPaint(stream: ColourStream, env: NodeJS.ProcessEnv): Promise<Paint> {
  const level = colourLevel(stream, env);
  if (level === 0) return PLAIN;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level });
  return { good: chalk.green, bad: chalk.red, warn: chalk.yellow, strong: chalk.bold, faint: chalk.dim };
}

type ColourStream = Partial<Pick<WriteStream, 'isTTY' | 'getColorDepth'>>;

/** FORCE_COLOR wins over NO_COLOR, as in Node itself; else a terminal gets what it can show. */
function colourLevel(stream: ColourStream, env: NodeJS.ProcessEnv): 0 | 1 | 2 | 3 {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) {
    if (forced === '0' || forced === 'false') return 0;
    return forced === '2' ? 2 : forced === '3' ? 3 : 1;
  }
  if (env['NO_COLOR'] || env['TERM'] === 'dumb' || stream.isTTY !== true) return 0;
  const depth = stream.getColorDepth?.(env) ?? 1;
  return depth >= 24 ? 3 : depth >= 8 ? 2 : depth >= 4 ? 1 : 0;
}

function same(text: string): string {
  return text;
}
