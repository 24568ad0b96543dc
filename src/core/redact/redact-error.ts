import type { JsonObject, JsonValue } from '../model/json.js';
import { isRedacted } from '../values/redacted.js';
import type { ValueRedaction } from './redact-value.js';
import type { Redactor } from './redactor.js';
import { scrubName } from './text-scrubs.js';

/** An error of a record: its class stays, its message becomes a mark, its stack goes. */
export function redactError(error: JsonObject, values: ValueRedaction, redactor: Redactor): JsonObject {
  const { name, message, value } = error;
  return {
    name: typeof name === 'string' ? scrubName(name, 'Error') : 'Error',
    message: redactMessage(message ?? '', redactor),
    ...(value === undefined ? {} : { value: values.redact(value, 'error') }),
  };
}

function redactMessage(message: JsonValue, redactor: Redactor): JsonValue {
  if (isRedacted(message)) return message;
  return redactor.text(typeof message === 'string' ? message : '');
}
