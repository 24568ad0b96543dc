import { formatBytes, formatCount } from '../../cli/format.js';
import { printable } from '../../cli/printable.js';
import type { DedupeResult } from '../../core/store/index.js';
import { JsonDocument } from '../json-document.js';
import { loadSteps } from '../progress.js';
import { stdoutSink } from '../sink.js';

const MOST_NOTES = 10;

/** Tells what was stored once, or would be. */
export interface DedupeReport {
  onProgress(step: 'looking' | 'storing', done: number, total: number): void;
  end(result: DedupeResult): Promise<void>;
  /** Also where it failed. */
  close(): void;
}

/** The report on stdout. */
export async function createDedupeReport(options: {
  path: string;
  dryRun: boolean;
  json: boolean;
}): Promise<DedupeReport> {
  const { path, dryRun, json } = options;
  const sink = stdoutSink();
  if (json) {
    return {
      onProgress: () => undefined,
      async end(result) {
        const document = new JsonDocument(sink);
        await document.members({ format: 'fir.dedupe/1', session: path, dryRun, ...result, exitCode: 0 });
        await document.end();
      },
      close: () => undefined,
    };
  }
  const steps = await loadSteps();
  return {
    onProgress(step, done, total) {
      const verb = step === 'looking' ? 'looked at' : 'stored';
      steps?.show(`${verb} ${done} of ${formatCount(total, step === 'looking' ? 'step' : 'dump')}`);
    },
    async end(result) {
      steps?.hide();
      for (const { dump, reason } of result.left.slice(0, MOST_NOTES)) {
        await sink.write(`note: ${printable(dump)} stays as it is: ${printable(reason)}\n`);
      }
      await sink.write(`${dedupeSummaryLine(result, dryRun)}\n`);
      await sink.close();
    },
    close: () => steps?.hide(),
  };
}

/** `50 tensors of 200.0 MiB stored as 4.0 MiB; the session is 196.0 MiB smaller`. */
function dedupeSummaryLine(result: DedupeResult, dryRun: boolean): string {
  const { tensors, bytes, newBytes, calls, savedBytes } = result;
  if (tensors === 0 && calls === 0) return 'no content is there more than once';
  const what = `${formatCount(tensors, 'tensor')} of ${formatBytes(bytes)}`;
  if (dryRun) {
    return `${what} would be stored as ${formatBytes(newBytes)} more under blobs/, about ${formatBytes(savedBytes)} less in all`;
  }
  const change = savedBytes < 0 ? 'larger' : 'smaller';
  return `${what} stored as ${formatBytes(newBytes)} more under blobs/; the session is ${formatBytes(Math.abs(savedBytes))} ${change}`;
}
