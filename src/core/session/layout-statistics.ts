import type { JsonValue } from '../model/json.js';
import type { LayoutStatistics } from '../model/tensor.js';
import { countFrom, numberFrom, objectFrom } from './json-fields.js';

/** Statistics of values that were left out, as far as they make sense. */
export function layoutStatisticsFrom(value: JsonValue | undefined): LayoutStatistics | undefined {
  const object = objectFrom(value);
  if (object === undefined) return undefined;
  const [min, max] = [realFrom(object['min']), realFrom(object['max'])];
  const [minBytes, maxBytes] = [countFrom(object['minBytes']), countFrom(object['maxBytes'])];
  const std = numberFrom(object['std']) ?? -1;
  return {
    ...(min === undefined || max === undefined || min > max ? {} : { min, max }),
    ...field('mean', numberFrom(object['mean'])),
    ...field('std', std < 0 ? undefined : std),
    ...field('nan', countFrom(object['nan'])),
    ...field('inf', countFrom(object['inf'])),
    ...field('zeros', countFrom(object['zeros'])),
    ...field('trues', countFrom(object['trues'])),
    ...(minBytes === undefined || maxBytes === undefined || minBytes > maxBytes
      ? {}
      : { minBytes, maxBytes }),
  };
}

function field(name: keyof LayoutStatistics, value: number | undefined): LayoutStatistics {
  return value === undefined ? {} : { [name]: value };
}

function realFrom(value: JsonValue | undefined): number | bigint | undefined {
  return typeof value === 'bigint' ? value : numberFrom(value);
}
