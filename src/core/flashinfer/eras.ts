import type { JsonObject } from '../model/json.js';

/** Name of a dump's record before records became lines: one JSON text on several lines, rewritten at the call's end. */
export const OLD_METADATA = 'metadata.json';

/**
 * Whether a record was written after its call had returned: its sizes were added up then. Of a captured call without
 * output tensors that is all there is to tell it by, since only writing outputs ever marked one as completed.
 */
function hasReturned(record: JsonObject): boolean {
  const info = objectIn(record['tensor_info']);
  return typeof info?.['total_size_bytes'] === 'number';
}

/** Whether a captured call's record that says `inputs_saved` is that of a call which returned no tensor. */
export function isFlushedWithoutOutputs(record: JsonObject): boolean {
  const outputs = objectIn(record['tensor_info'])?.['output_tensor_keys'];
  const hasOutputs = Array.isArray(outputs) && outputs.length > 0;
  return record['graph_capture'] === true && !hasOutputs && hasReturned(record);
}

/** A record of the `metadata.json` era with what it left out: where it stands, and how far the call came. */
export function completeOldRecord(record: JsonObject, dump: string): JsonObject {
  const hasStatus = typeof record['execution_status'] === 'string';
  const hasEnded = hasReturned(record) || Object.keys(objectIn(record['output_metadata']) ?? {}).length > 0;
  return {
    ...record,
    dump_dir: typeof record['dump_dir'] === 'string' ? record['dump_dir'] : dump,
    ...(hasStatus ? {} : { execution_status: hasEnded ? 'completed' : 'inputs_saved' }),
  };
}

function objectIn(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}
