import type { JsonValue } from '../../model/json.js';
import { visitNodes } from '../../values/nodes.js';
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
