import type { StateRule } from '../../core/adapters/contract.js';
import { ADAPTERS } from '../../core/adapters/index.js';
import type { RecordedFunction } from '../recorded-function.js';

/** Which calls make the state of the objects of a class that a function makes: as a replay will have it. */
export function stateRuleOf({ resolve }: RecordedFunction, className: string): StateRule {
  const { current } = resolve;
  if (current?.kind !== 'adapter') return 'full';
  return ADAPTERS.find(({ name }) => name === current.adapter)?.stateRule(className) ?? 'full';
}
