import type { Resolution } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { objectFrom, stringFrom, stringsFrom } from '../session/json-fields.js';
import { resolutionFrom } from '../session/resolution-fields.js';
import { ruleFor } from './record-rules.js';
import { redactError } from './redact-error.js';
import { redactResolution } from './redact-header.js';
import { ValueRedaction } from './redact-value.js';
import type { Redactor } from './redactor.js';
import { relativePath } from './relative-path.js';
import { scrubReason, scrubSignature } from './text-scrubs.js';

/** Fields that hold no content, by where they stand; whatever is not listed is taken for content. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  ...[
    'function_name',
    'call_sequence',
    'timestamp',
    'process_id',
    'self_id',
    'tensor_info',
    'tensor_details',
  ],
  ...['tensor_format', 'versions', 'execution_status', 'graph_capture'],
]);
const PLAIN_FIR_FIELDS: ReadonlySet<string> = new Set([
  ...['version', 'process_uid', 'sequence', 'end_sequence', 'parent', 'started_at', 'duration_us', 'gpu_us'],
  ...['kind', 'async', 'constructs', 'self_class', 'roles', 'mutated_tensor_keys', 'mutated_pending_keys'],
  ...['mutated_pending_arguments', 'truncated', 'mutated_stats', 'redacted'],
]);

export interface RecordContext {
  redactor: Redactor;
  /** How the function is found again, where the process header says it. */
  resolution: Resolution | undefined;
  /** The working directory of the recorded program. */
  cwd: string | undefined;
  /** `fir.tensors` without values. */
  tensors: JsonObject;
  mutatedStats: JsonObject;
}

/** A record of fir's own without the content of its values. Fields that nobody here knows keep their numbers alone. */
export function redactRecord(record: JsonObject, context: RecordContext): JsonObject {
  const { redactor, cwd } = context;
  const fir = objectFrom(record['fir']) ?? {};
  const functionName = stringFrom(record['function_name']) ?? '';
  const resolution = resolutionFrom(fir['resolve']) ?? context.resolution;
  const values = new ValueRedaction(ruleFor({ functionName, resolution, cwd }, redactor));
  const redacted: JsonObject = {};
  for (const [name, field] of Object.entries(record)) {
    if (name !== 'fir') redacted[name] = redactField(name, field, values);
  }
  redacted['fir'] = redactFir(fir, values, context);
  return redacted;
}

/** A field of any recorder's record. */
export function redactField(name: string, field: JsonValue, values: ValueRedaction): JsonValue {
  if (PLAIN_FIELDS.has(name)) return field;
  if (name === 'input_metadata' || name === 'output_metadata')
    return values.redactAll(objectFrom(field) ?? {});
  if (typeof field === 'string') {
    if (name === 'function_signature') return scrubSignature(field);
    if (name === 'module') return relativePath(field, undefined);
    if (name === 'dump_dir') return dumpName(field);
  }
  return values.redact(field, name);
}

function redactFir(fir: JsonObject, values: ValueRedaction, context: RecordContext): JsonObject {
  const redacted: JsonObject = {};
  for (const [name, field] of Object.entries(fir)) {
    const converted = redactFirField(name, field, values, context);
    if (converted !== undefined) redacted[name] = converted;
  }
  redacted['redacted'] = true;
  if (Object.keys(context.mutatedStats).length > 0) redacted['mutated_stats'] = context.mutatedStats;
  redacted['tensors'] = context.tensors;
  return redacted;
}

function redactFirField(
  name: string,
  field: JsonValue,
  values: ValueRedaction,
  { redactor, cwd }: RecordContext,
): JsonValue | undefined {
  if (PLAIN_FIR_FIELDS.has(name)) return field;
  switch (name) {
    case 'tensors':
    case 'mutated_data':
      return undefined;
    case 'resolve': {
      const resolution = resolutionFrom(field);
      return resolution === undefined ? undefined : { ...redactResolution(resolution, cwd) };
    }
    case 'mutated_arguments':
      return values.redactAll(objectFrom(field) ?? {});
    case 'not_replayable':
      return (stringsFrom(field) ?? []).map((reason) => scrubReason(reason, values.mapKeys));
    case 'error':
      return redactError(objectFrom(field) ?? {}, values, redactor);
    default:
      return values.redact(field, name);
  }
}

/** A foreign recorder names the dump by its path: only the last part says which it is. */
function dumpName(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const isSnapshot = parts.at(-2) === 'graph_flushes';
  return parts.slice(isSnapshot ? -3 : -1).join('/');
}
