import type { JsonObject, JsonValue } from '../model/json.js';

/** Containers inside one another that are looked into: what an encoder writes is not deeper. */
export const MAX_NODE_DEPTH = 1024;

/** Whether an encoded value is one with a `type`, and no scalar or array. */
export function isNode(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Calls `visit` for every node of an encoded value, outer ones first. */
export function visitNodes(value: JsonValue, visit: (node: JsonObject) => void, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > MAX_NODE_DEPTH) return;
  if (!Array.isArray(value)) visit(value);
  for (const inner of Object.values(value)) visitNodes(inner, visit, depth + 1);
}
