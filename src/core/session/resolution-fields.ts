import type { Resolution } from '../model/call.js';
import type { JsonValue } from '../model/json.js';
import { objectFrom, stringFrom } from './json-fields.js';

/** How a function is found again, as a record or a process header says it; undefined where that makes no sense. */
export function resolutionFrom(value: JsonValue | undefined): Resolution | undefined {
  const object = objectFrom(value);
  if (object === undefined) return undefined;
  const field = (name: string) => stringFrom(object[name]);
  const exportName = field('export');
  const packageName = field('package');
  const version = field('version');
  const versioned = version === undefined ? {} : { version };
  switch (object['kind']) {
    case 'module': {
      const module = field('module');
      if (module === undefined || exportName === undefined) return undefined;
      return { kind: 'module', root: field('root') ?? '', module, export: exportName };
    }
    case 'package': {
      const subpath = field('subpath');
      if (packageName === undefined || exportName === undefined) return undefined;
      const place = subpath === undefined ? {} : { subpath };
      return { kind: 'package', package: packageName, ...versioned, ...place, export: exportName };
    }
    case 'adapter': {
      const adapter = field('adapter');
      if (adapter === undefined || packageName === undefined) return undefined;
      return { kind: 'adapter', adapter, package: packageName, ...versioned };
    }
    case 'unresolved': {
      const hint = field('hint');
      const reason = field('reason') ?? 'not resolved';
      return { kind: 'unresolved', reason, ...(hint === undefined ? {} : { hint }) };
    }
    default:
      return undefined;
  }
}
