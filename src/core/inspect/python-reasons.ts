import { containerText, objectFromRepr, whyNotRebuildable } from '../flashinfer/index.js';
import type { CallRecord } from '../model/call.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { CallEntry } from '../session/index.js';
import {
  type ConstructedObjects,
  classOf,
  constructorReason,
  isConstructedBefore,
} from './python-objects.js';

/**
 * Why a call that was recorded in Python can't be run again as far as its record tells: the recorder marks nothing; a
 * value that it only describes, or a container that it cut, stands among the others.
 */
export function pythonReasons(
  call: CallEntry,
  record: CallRecord,
  constructed: ConstructedObjects,
): string[] {
  const reasons: string[] = [];
  if (call.selfId !== undefined && call.generation === 0) {
    const className = classOf(call);
    reasons.push(constructorReason(className, call.selfId, patternFor(call, className)));
  }
  for (const [argument, value] of Object.entries(record.input_metadata)) {
    // The object itself is known by its id.
    if (argument === 'arg_0' && call.selfId !== undefined) continue;
    for (const node of nodesIn(value)) {
      const reason = nodeReason(node, call, constructed);
      if (reason !== undefined) reasons.push(`${argument}: ${reason}`);
    }
  }
  return reasons;
}

function nodeReason(node: JsonObject, call: CallEntry, constructed: ConstructedObjects): string | undefined {
  const type = typeof node['type'] === 'string' ? node['type'] : 'value';
  if (node['truncated'] === true) return `a ${type} was cut short by the recorder`;
  if (type === 'torch.Tensor' && typeof node['tensor_key'] !== 'string') {
    return 'a tensor is only described, not recorded';
  }
  const text = node['repr'] ?? containerText(node);
  if (text === undefined) return undefined;
  if (typeof text !== 'string') return `a ${type} is only described, not recorded`;
  const reason = whyNotRebuildable(type, text);
  const object = reason === undefined ? objectFromRepr(text) : undefined;
  if (object === undefined || isConstructedBefore(constructed, call, object.selfId, type)) return reason;
  return constructorReason(type, object.selfId, patternOf(type));
}

/** Methods of classes whose name lacks `Wrapper` are recorded under their bare names. */
function patternFor({ functionName }: CallEntry, className: string): string {
  return functionName.includes('.') ? `${className}.*` : `__init__,${functionName}`;
}

function patternOf(className: string): string {
  return className.includes('Wrapper') ? `${className}.*` : '__init__';
}

/** Every object in a value, without recursion: nesting may be deep. */
function* nodesIn(value: JsonValue): Generator<JsonObject> {
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) yield next;
    for (const entry of Object.values(next)) open.push(entry);
  }
}
