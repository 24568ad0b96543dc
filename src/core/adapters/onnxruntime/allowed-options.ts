/** Options that neither write a file nor load a library. Source: onnxruntime-common, inference-session.d.ts. */
const SESSION_OPTIONS = new Set([
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
const RUN_OPTIONS = new Set(['logSeverityLevel', 'logVerbosityLevel', 'terminate', 'tag']);

/** Providers whose own options can't name a library or a cache file. */
const PROVIDERS = new Set(['cpu', 'cuda', 'dml', 'coreml', 'wasm', 'webgpu', 'xnnpack', 'nnapi', 'webnn']);
const PROVIDER_OPTIONS = new Set(['name', 'deviceId', 'useArena']);

/** The recorded session options that a replay passes on; the others are named in `notes`. */
export function allowedSessionOptions(options: object, notes: string[]): Record<string, unknown> {
  const allowed = pick(options, SESSION_OPTIONS, 'session option', notes);
  if ('executionProviders' in allowed) {
    allowed['executionProviders'] = allowedProviders(allowed['executionProviders'], notes);
  }
  if ('externalData' in allowed) allowed['externalData'] = givenData(allowed['externalData'], notes);
  return allowed;
}

/** The recorded run options that a replay passes on; the others are named in `notes`. */
export function allowedRunOptions(options: object, notes: string[]): Record<string, unknown> {
  return pick(options, RUN_OPTIONS, 'run option', notes);
}

/** Whatever object holds the options, only their names and values go on. */
function pick(
  options: object,
  names: ReadonlySet<string>,
  what: string,
  notes: string[],
): Record<string, unknown> {
  const allowed: Record<string, unknown> = {};
  // The names in an array or a buffer are its indices.
  if (Array.isArray(options) || ArrayBuffer.isView(options)) return allowed;
  for (const [name, value] of Object.entries(options)) {
    if (names.has(name)) allowed[name] = value;
    else notes.push(`${what} ${name} was not passed on`);
  }
  return allowed;
}

function allowedProviders(value: unknown, notes: string[]): unknown {
  if (!Array.isArray(value)) return value;
  return (value as unknown[]).flatMap((provider): unknown[] => {
    const isName = typeof provider === 'string';
    const name = isName ? provider : (provider as { name?: unknown } | null)?.name;
    if (typeof name !== 'string' || !PROVIDERS.has(name)) {
      notes.push(`execution provider ${String(name)} was not passed on`);
      return [];
    }
    return [isName ? name : pick(provider as object, PROVIDER_OPTIONS, `${name} provider option`, notes)];
  });
}

/** Side files whose bytes were recorded; a mere path would be read from this machine unseen. */
function givenData(value: unknown, notes: string[]): unknown {
  if (!Array.isArray(value)) return value;
  return (value as unknown[]).filter((file) => {
    const data = (file as { data?: unknown } | null)?.data;
    const isGiven = ArrayBuffer.isView(data) || data instanceof ArrayBuffer;
    if (!isGiven) notes.push('an externalData entry without its bytes was not passed on');
    return isGiven;
  });
}
