import { loadPaint, PLAIN } from '../cli/colour.js';
import { FirError } from '../core/errors.js';
import type { ReportWriter } from './contract.js';
import { GithubReporter } from './github.js';
import { JsonReporter } from './json.js';
import { JunitReporter } from './junit.js';
import { PrettyReporter } from './pretty.js';
import { loadProgress } from './progress.js';
import { fileSink, type Sink, stdoutSink } from './sink.js';

export interface ReporterOptions {
  /** All that called code printed is shown, not only the end of what a failing call printed. */
  showsAllOutput?: boolean;
}

type Factory = (
  sink: Sink,
  isStdout: boolean,
  options: ReporterOptions,
) => Promise<ReportWriter> | ReportWriter;

const FACTORIES: Readonly<Record<string, Factory>> = {
  pretty: async (sink, isStdout, options) =>
    isStdout
      ? new PrettyReporter(sink, await loadPaint(process.stdout, process.env), {
          progress: await loadProgress(),
          ...options,
        })
      : new PrettyReporter(sink, PLAIN, options),
  json: (sink) => new JsonReporter(sink),
  junit: (sink) => new JunitReporter(sink),
  github: (sink) => new GithubReporter(sink, process.env['GITHUB_STEP_SUMMARY']),
};

/** These are a document of their own: nothing else may stand beside them on stdout. */
const DOCUMENTS = new Set(['json', 'junit']);

/**
 * Reporters for `name` or `name:file` each; with nothing on stdout the terminal report is added.
 * FirError USAGE, REPORT_FAILED.
 */
export async function createReporters(
  specifications: readonly string[],
  options: ReporterOptions = {},
): Promise<ReportWriter[]> {
  const wanted = specifications.map(parseSpecification);
  const onStdout = wanted.filter(({ path }) => path === undefined).map(({ name }) => name);
  if (onStdout.length > 1 && onStdout.some((name) => DOCUMENTS.has(name))) {
    throw new FirError('USAGE', `the reports ${onStdout.join(' and ')} can't share stdout`, {
      hint: `Give one of them a file: --reporter ${onStdout[0]}:FILE`,
    });
  }
  if (onStdout.length === 0)
    wanted.unshift({ name: 'pretty', factory: factoryOf('pretty'), path: undefined });
  const reporters: ReportWriter[] = [];
  for (const { factory, path } of wanted) {
    const sink = path === undefined ? stdoutSink() : fileSink(path);
    reporters.push(await factory(sink, path === undefined, options));
  }
  return reporters;
}

function parseSpecification(text: string): { name: string; factory: Factory; path: string | undefined } {
  const at = text.indexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  const path = at < 0 ? undefined : text.slice(at + 1);
  if (path === '') throw new FirError('USAGE', `--reporter '${text}' names no file after ':'`);
  return { name, factory: factoryOf(name), path };
}

function factoryOf(name: string): Factory {
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined;
  if (factory === undefined) {
    throw new FirError('USAGE', `there is no reporter '${name}'`, {
      hint: `Choose one of ${Object.keys(FACTORIES).join(', ')}, with :FILE behind it to write a file`,
    });
  }
  return factory;
}
