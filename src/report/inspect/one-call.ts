import type { Paint } from '../../cli/colour.js';
import { formatDuration } from '../../cli/format.js';
import { printable, printableLines } from '../../cli/printable.js';
import type { InspectCall, InspectTensor } from '../../core/inspect/index.js';
import type { JsonValue } from '../../core/model/json.js';
import type { Dump, TensorGroupName } from '../../core/session/index.js';
import { jsonText } from '../json-text.js';
import { previewTensor } from './tensor-preview.js';
import { tensorExtras, tensorLine } from './tensor-text.js';
import { encodedText } from './value-text.js';

const LONGEST_VALUE = 2000;

/**
 * One call whole: how it ended, arguments and results with their values, tensors with their layout and first values.
 * `dump` is absent where the call's directory can't be opened.
 */
export function callLines(call: InspectCall, dump: Dump | undefined, paint: Paint): string[] {
  const record = dump?.record;
  const tensorLines = (title: string, group: TensorGroupName) =>
    groupLines(title, call[group], group, dump, paint);
  const fields = Object.entries({
    status: call.status.replaceAll('_', ' '),
    module: call.module,
    dump: call.dump,
    process: String(call.pid),
    object: call.selfId === undefined ? undefined : objectText(call),
    graph: call.graphCapture === true ? 'captured in a CUDA graph, read after the graph had run' : undefined,
    started: call.startedAt ?? undefined,
    values:
      call.redacted === true ? 'redacted: a replay runs on random ones of the recorded range' : undefined,
    took: call.durationUs === null ? undefined : formatDuration(call.durationUs),
    parent: record?.fir?.parent == null ? undefined : String(record.fir.parent),
    signature: record?.function_signature,
    resolve: record?.fir?.resolve === undefined ? undefined : jsonText(record.fir.resolve),
    replayable: call.replayable ? 'yes' : `no: ${call.reasons.join('; ')}`,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [
    `${paint.strong(`call ${call.call} ${printable(call.function)}`)}`,
    ...fields.map(([name, value]) => `  ${paint.faint(name.padEnd(10))} ${printable(value)}`),
    ...valueLines('arguments', record?.input_metadata ?? {}, paint),
    ...tensorLines('inputs', 'inputs'),
    ...valueLines('results', record?.output_metadata ?? {}, paint),
    ...tensorLines('outputs', 'outputs'),
    ...tensorLines('changed in place', 'mutated'),
    ...valueLines('arguments after the call', record?.fir?.mutated_arguments ?? {}, paint),
    ...errorLines(call, paint),
    ...(call.notes ?? []).map((note) => `  ${paint.faint('note'.padEnd(10))} ${printable(note)}`),
  ];
}

function objectText({ selfId, generation }: InspectCall): string {
  return `${selfId}${generation === undefined ? '' : `, generation ${generation}`}`;
}

function valueLines(title: string, values: Record<string, JsonValue>, paint: Paint): string[] {
  const entries = Object.entries(values);
  if (entries.length === 0) return [];
  return [
    `  ${paint.strong(title)}`,
    ...entries.map(([key, value]) => `    ${printable(key)} = ${valueText(value)}`),
  ];
}

function valueText(value: JsonValue): string {
  const text = printable(encodedText(value));
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters)`;
}

function groupLines(
  title: string,
  tensors: readonly InspectTensor[],
  group: TensorGroupName,
  dump: Dump | undefined,
  paint: Paint,
): string[] {
  if (tensors.length === 0) return [];
  return [
    `  ${paint.strong(title)}`,
    ...tensors.flatMap((tensor) => [
      `    ${tensorLine(tensor)}`,
      ...(dump === undefined || tensor.error !== undefined
        ? []
        : [`      ${previewTensor(() => dump.tensor(group, tensor.key))}`]),
      ...tensorExtras(tensor).map((extra) => `      ${paint.faint(extra)}`),
    ]),
  ];
}

function errorLines({ error }: InspectCall, paint: Paint): string[] {
  if (error === undefined) return [];
  return [
    `  ${paint.strong('error')}`,
    `    ${paint.bad(printable(`${error.name}: ${error.message}`))}`,
    ...printableLines(error.stack ?? '').map((line) => `      ${paint.faint(line)}`),
  ];
}
