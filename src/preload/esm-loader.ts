import { EsmInstrumentation } from './esm-hooks.js';
import type { InstrumentSpec } from './instrument-spec.js';

/** Hooks for `module.register`, for Nodes without `module.registerHooks`: Node runs them in a thread of their own. */

let instrumentation: EsmInstrumentation | undefined;

export function initialize(data: { specs: InstrumentSpec[]; recorderPath: string }): void {
  instrumentation = new EsmInstrumentation(data.specs, data.recorderPath);
}

interface Resolved {
  url: string;
}

export async function resolve(
  specifier: string,
  context: { parentURL?: string },
  next: (specifier: string, context: unknown) => Promise<Resolved>,
): Promise<unknown> {
  const resolved = await next(specifier, context);
  return instrumentation?.redirect(specifier, context.parentURL, resolved) ?? resolved;
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  return instrumentation?.standIn(url) ?? next(url, context);
}
