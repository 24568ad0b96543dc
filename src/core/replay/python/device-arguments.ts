import type { JsonValue } from '../../model/json.js';
import { MAX_NODE_DEPTH, visitNodes } from '../../values/nodes.js';
import type { DeviceMap } from './device-map.js';

/** Each `torch.device` among a call's arguments that is another one here, with that one. */
export function deviceArguments(
  metadata: Readonly<Record<string, JsonValue>>,
  devices: DeviceMap,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const value of Object.values(metadata)) {
    visitNodes(value, ({ type, repr }) => {
      if (type !== 'device' || typeof repr !== 'string') return;
      const place = devices.argumentFor(repr);
      if (place !== repr) found.set(repr, place);
    });
  }
  return found;
}

/** An encoded value with each `torch.device` in it as the one that stands for it here. */
export function placeDevices(value: JsonValue, devices: DeviceMap, depth = 0): JsonValue {
  if (typeof value !== 'object' || value === null || depth > MAX_NODE_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => placeDevices(item, devices, depth + 1));
  const { type, repr } = value;
  if (type === 'device' && typeof repr === 'string') return { ...value, repr: devices.argumentFor(repr) };
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, placeDevices(inner, devices, depth + 1)]),
  );
}
