/** Options that neither write a file nor load a library. Source: onnxruntime-common, inference-session.d.ts. */
const ALLOWED = new Set([
  'executionProviders',
  'intraOpNumThreads',
  'interOpNumThreads',
  'freeDimensionOverrides',
  'graphOptimizationLevel',
  'enableCpuMemArena',
  'enableMemPattern',
  'executionMode',
  'logId',
  'logSeverityLevel',
  'logVerbosityLevel',
  'externalData',
]);

/** Providers whose own options can't name a library or a cache file. */
const PROVIDERS = new Set(['cpu', 'cuda', 'dml', 'coreml', 'wasm', 'webgpu', 'xnnpack', 'nnapi', 'webnn']);
const PROVIDER_OPTIONS = new Set(['name', 'deviceId', 'useArena']);

/** The recorded session options that a replay passes on; the others are named in `notes`. */
export function allowedSessionOptions(
  options: Readonly<Record<string, unknown>>,
  notes: string[],
): Record<string, unknown> {
  const allowed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (!ALLOWED.has(name)) notes.push(`session option ${name} was not passed on`);
    else if (name === 'executionProviders') allowed[name] = allowedProviders(value, notes);
    else if (name === 'externalData') allowed[name] = givenData(value, notes);
    else allowed[name] = value;
  }
  return allowed;
}

function allowedProviders(value: unknown, notes: string[]): unknown[] {
  const providers = Array.isArray(value) ? (value as unknown[]) : [];
  return providers.flatMap((provider): unknown[] => {
    const name = typeof provider === 'string' ? provider : (provider as { name?: unknown } | null)?.name;
    if (typeof name !== 'string' || !PROVIDERS.has(name)) {
      notes.push(`execution provider ${String(name)} was not passed on`);
      return [];
    }
    if (typeof provider === 'string') return [provider];
    const entries = Object.entries(provider as object);
    for (const [option] of entries) {
      if (!PROVIDER_OPTIONS.has(option))
        notes.push(`option ${option} of execution provider ${name} was not passed on`);
    }
    return [Object.fromEntries(entries.filter(([option]) => PROVIDER_OPTIONS.has(option)))];
  });
}

/** Side files whose bytes were recorded; a mere path would be read from this machine unseen. */
function givenData(value: unknown, notes: string[]): unknown[] {
  const files = Array.isArray(value) ? (value as unknown[]) : [];
  return files.filter((file) => {
    const isGiven = ArrayBuffer.isView((file as { data?: unknown } | null)?.data);
    if (!isGiven) notes.push('an externalData entry without its bytes was not passed on');
    return isGiven;
  });
}
