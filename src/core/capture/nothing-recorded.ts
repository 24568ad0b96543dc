import { basename } from 'node:path';
import type { ProcessHeader } from '../model/session.js';
import { DUMP_LEVEL } from './flashinfer-environment.js';
import type { CaptureSummary } from './types.js';

const NOTHING_IN_NODE =
  'no Node process of the program loaded a library that fir knows (onnxruntime-node, onnxruntime-web) or used ' +
  'recordable() from fir-recorder. A runtime bundled into the program’s own file can’t be seen from outside, and ' +
  'a child started with an environment without this NODE_OPTIONS is not followed. ' +
  "Record functions of your own with --instrument './file.js#name'";

const NOTHING_IN_PYTHON =
  'no Python process of the program called a function of FlashInfer. Of Python only FlashInfer’s own functions are ' +
  'recorded, by FlashInfer itself, in a process that was started with these FLASHINFER_* variables and then imported ' +
  'flashinfer: a server that ran before is not followed';

const NO_VALUES_IN_PYTHON =
  'with --redact no call in Python is recorded, since FlashInfer’s recorder can’t leave values out: record without it ' +
  'where that is safe, then make a copy with fir filter --redact';

const FLASHINFER_FAILED =
  'FlashInfer’s recorder made dump directories and wrote no record into them; its log says why: ' +
  '--log-dest flashinfer-%i.log';

/** Commands that run a program of that language. */
const PYTHON =
  /^(?:python|pypy)[\d.]*(?:\.exe)?$|\.py$|^(?:uv|uvx|poetry|pipenv|conda|torchrun|vllm|sglang)$/;
const NODE = /^(?:node|npm|npx|pnpm|yarn|bun|tsx)(?:\.exe)?$|\.[cm]?[jt]s$/;

/** The likely reason why a program left no call. */
export function reasonForNothing(
  summary: CaptureSummary,
  headers: readonly ProcessHeader[],
  { command, env }: { command: string; env: NodeJS.ProcessEnv },
): string {
  if (summary.skippedByFilter > 0) return 'every call was left out by --include or --exclude';
  if (summary.skippedByLimit > 0) return 'every call was over --max-count or --max-size';
  if (summary.notRecorded > 0) return `the recorder failed: ${summary.errors[0] ?? 'unknown error'}`;
  if ((summary.python?.withoutRecord ?? 0) > 0) return FLASHINFER_FAILED;
  const known = headers.flatMap((header) => [...header.hooked, ...Object.keys(header.functions)]);
  if (known.length > 0) return `${known.join(', ')} was hooked, but nothing of it was called`;
  const name = basename(command);
  if (PYTHON.test(name)) return reasonInPython(env);
  return NODE.test(name) ? NOTHING_IN_NODE : `${NOTHING_IN_NODE}. And ${reasonInPython(env)}`;
}

function reasonInPython(env: NodeJS.ProcessEnv): string {
  if (env['FIR_DUMP_REDACT'] === '1') return NO_VALUES_IN_PYTHON;
  const level = env['FLASHINFER_LOGLEVEL'] ?? '';
  if (Number(level) < DUMP_LEVEL) {
    return `FLASHINFER_LOGLEVEL=${level} of the environment records no calls in Python; --level 10 does`;
  }
  if (env['FLASHINFER_DUMP_MAX_COUNT'] === '0') return '--max-count 0 leaves every call out';
  const isFiltered = env['FLASHINFER_DUMP_INCLUDE'] || env['FLASHINFER_DUMP_EXCLUDE'];
  return isFiltered
    ? `${NOTHING_IN_PYTHON}. Or --include and --exclude left every call out`
    : NOTHING_IN_PYTHON;
}
