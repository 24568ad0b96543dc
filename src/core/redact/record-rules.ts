import type { AdapterRedaction } from '../adapters/contract.js';
import { ADAPTERS } from '../adapters/index.js';
import { isOptionWord, objectFromRepr, whyNotRebuildable } from '../flashinfer/index.js';
import type { Resolution } from '../model/call.js';
import type { RedactionRules } from './redact-value.js';
import type { Redactor } from './redactor.js';
import { relativePath } from './relative-path.js';

/** How fir's recorder describes what it does not look into: by class and name. */
const DESCRIBED = /^\[(?:object )?[\w$ ]{1,80}(?:: (?:[\w$]{1,80}|\(anonymous\)))?\]$/;

/** What may stay of the values of a call that fir recorded. `cwd`: the working directory of the recorded program. */
export function ruleFor(
  call: { functionName: string; resolution: Resolution | undefined; cwd: string | undefined },
  redactor: Redactor,
): RedactionRules {
  const { functionName, cwd } = call;
  const adapter = adapterRedaction(call.resolution);
  return {
    redactor,
    keepsDescription: (_, text) => DESCRIBED.test(text),
    ...(adapter === undefined
      ? {}
      : {
          keepsText: (place, text) => adapter.keepsText(functionName, place, text),
          adapted: (node) => adapter.relativePaths(node, (path) => relativePath(path, cwd)),
        }),
  };
}

/** What may stay of the values of a call that Python recorded: what names a class, a device, a number or an option of FlashInfer's. */
export function pythonRules(redactor: Redactor): RedactionRules {
  return {
    redactor,
    keepsText: (_, text) => isOptionWord(text),
    keepsDescription: (className, text) =>
      objectFromRepr(text) !== undefined ||
      (whyNotRebuildable(className, text) === undefined && !/["']/.test(text)),
  };
}

/** What the adapter of a call's library knows of its content. */
export function adapterRedaction(resolution: Resolution | undefined): AdapterRedaction | undefined {
  if (resolution?.kind !== 'adapter') return undefined;
  return ADAPTERS.find(({ name }) => name === resolution.adapter)?.redaction;
}
