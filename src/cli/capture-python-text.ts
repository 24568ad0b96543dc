import type { CaptureSummary, PythonSummary } from '../core/capture/index.js';
import type { Paint } from './colour.js';
import { formatBytes, formatCount } from './format.js';
import { printable } from './printable.js';

const SHOWN = 10;

/** What the summary of a capture says about Python; nothing where FlashInfer recorded nothing. */
export function pythonLines({ recorded, python, processes }: CaptureSummary, paint: Paint): string[] {
  if (python === undefined) return [];
  return [
    ...(python.calls > 0 ? [languages(python, { calls: recorded - python.calls, processes })] : []),
    ...(python.unfinished.length > 0
      ? [
          `never finished in Python (raised, or their process ended in them; FlashInfer does not say which): ${listed(python.unfinished)}`,
        ]
      : []),
    ...(python.keepsOldest
      ? [
          'FlashInfer’s recorder drops no older calls: at a limit it records no more, whatever --on-limit says',
        ]
      : []),
    ...limits(python).map((line) => paint.warn(line)),
    ...(python.withoutRecord > 0
      ? [
          paint.bad(
            `FlashInfer’s recorder left ${formatCount(python.withoutRecord, 'call')} without a record; its log says why: --log-dest flashinfer-%i.log`,
          ),
        ]
      : []),
    ...(python.readableByOthers
      ? [
          paint.warn(
            'others may read what FlashInfer wrote there: the directory was there already, and is not private',
          ),
        ]
      : []),
  ];
}

function languages(python: PythonSummary, node: { calls: number; processes: number }): string {
  const pids = python.processes.map(({ pid, calls }) => `pid ${pid}: ${calls}`);
  const inPython = `${formatCount(python.calls, 'call')} in Python by FlashInfer (${listed(pids)})`;
  if (node.calls === 0) return inPython;
  return `${inPython}, ${formatCount(node.calls, 'call')} in Node by fir (${formatCount(node.processes, 'thread')})`;
}

function limits({ processes, maxCount, maxBytes }: PythonSummary): string[] {
  const lines: string[] = [];
  for (const { pid, reachedCount, reachedSize, bytes, missing } of processes) {
    const who = `Python process ${pid}`;
    if (reachedCount) {
      lines.push(
        `${who} reached its limit of ${formatCount(maxCount, 'call')} (--max-count): later ones left no mark`,
      );
    }
    if (reachedSize) {
      const lost =
        missing > 0
          ? `at least ${formatCount(missing, 'call')} did not fit, and left no mark`
          : 'its larger calls no longer fit, and leave no mark';
      lines.push(`${who} recorded ${formatBytes(bytes)} of ${formatBytes(maxBytes)} (--max-size): ${lost}`);
    }
  }
  return lines;
}

function listed(words: readonly string[]): string {
  const hidden = words.length - SHOWN;
  return `${words.slice(0, SHOWN).map(printable).join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`;
}
