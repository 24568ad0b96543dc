import type { JsonValue } from '../model/json.js';
import type { ObjectName } from '../plan/types.js';
import { isNode } from '../values/nodes.js';

const MAX_DEPTH = 64;

/** An object in a result, where the recorded result names a recorded object. */
export interface ReturnedObject extends ObjectName {
  object: object;
}

/** Finds the objects of a result that stand where the recorded result refers to recorded objects. */
export function findReturnedObjects(expected: JsonValue | undefined, actual: unknown): ReturnedObject[] {
  const found: ReturnedObject[] = [];
  collect(found, expected, actual, 0);
  return found;
}

function collect(
  found: ReturnedObject[],
  expected: JsonValue | undefined,
  actual: unknown,
  depth: number,
): void {
  if (!isNode(expected) || typeof actual !== 'object' || actual === null || depth > MAX_DEPTH) return;
  const { type, self_id: selfId, class: className, items } = expected;
  if (type === 'js.object_ref') {
    if (typeof className === 'string') found.push({ selfId: String(selfId), className, object: actual });
  } else if (Array.isArray(items) && type === 'dict') {
    for (const pair of items) {
      if (!isNode(pair) || typeof pair['key'] !== 'string') continue;
      collect(found, pair['value'], ownData(actual, pair['key']), depth + 1);
    }
  } else if (Array.isArray(items) && Array.isArray(actual)) {
    items.forEach((item, index) => {
      collect(found, item, ownData(actual, String(index)), depth + 1);
    });
  }
}

function ownData(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}
