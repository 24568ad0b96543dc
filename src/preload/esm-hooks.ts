import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InstrumentSpec } from './instrument-spec.js';

const MARK = 'fir-instrument';

interface Resolved {
  url: string;
  format?: string | null | undefined;
  shortCircuit?: boolean;
}
interface Loaded {
  format: string;
  source: string;
  shortCircuit: boolean;
}

/** Which modules get a stand-in, and what it says. Shared by the hooks of both kinds of Node. */
export class EsmInstrumentation {
  readonly #specs: readonly InstrumentSpec[];
  readonly #recorderPath: string;

  constructor(specs: readonly InstrumentSpec[], recorderPath: string) {
    this.#specs = specs;
    this.#recorderPath = recorderPath;
  }

  /** Importers of a listed ES module get its stand-in; the stand-in itself gets the module. */
  redirect(specifier: string, parentURL: string | undefined, resolved: Resolved): Resolved {
    if (parentURL === undefined || parentURL.includes(MARK) || !resolved.url.startsWith('file:'))
      return resolved;
    if (resolved.format === 'commonjs' || this.#specFor(specifier, resolved.url) === undefined)
      return resolved;
    const mark = `${resolved.url.includes('?') ? '&' : '?'}${MARK}=${encodeURIComponent(specifier)}`;
    return { ...resolved, url: `${resolved.url}${mark}`, format: 'module', shortCircuit: true };
  }

  /** The source of a stand-in: everything the module exports, the listed exports recorded. */
  standIn(url: string): Loaded | undefined {
    const at = url.search(new RegExp(`[?&]${MARK}=`));
    if (at < 0) return undefined;
    const real = url.slice(0, at);
    const specifier = decodeURIComponent(url.slice(at + MARK.length + 2));
    const spec = this.#specFor(specifier, real);
    if (spec === undefined) return undefined;
    const path = pathFrom(real);
    const names = [...spec.exports];
    const passDefault = !names.includes('default') && /\bdefault\b/.test(readFileSync(path, 'utf8'));
    const lines = [
      `import { createRequire } from 'node:module';`,
      `import * as original from ${JSON.stringify(real)};`,
      `export * from ${JSON.stringify(real)};`,
      `createRequire(import.meta.url)(${JSON.stringify(this.#recorderPath)});`,
      `const recorder = globalThis[Symbol.for('fir.recorder/1')];`,
      ...names.map((name, index) => {
        const args = `${JSON.stringify(path)}, ${JSON.stringify(name)}, original[${JSON.stringify(name)}]`;
        return `const export${index} = recorder.instrumentExport(${args});\nexport { export${index} as ${JSON.stringify(name)} };`;
      }),
      ...(passDefault ? [`const passed = original.default;\nexport { passed as default };`] : []),
    ];
    return { format: 'module', source: lines.join('\n'), shortCircuit: true };
  }

  #specFor(specifier: string, url: string): InstrumentSpec | undefined {
    const path = pathFrom(url);
    return this.#specs.find(({ target }) => target === specifier || target === path);
  }
}

function pathFrom(url: string): string {
  return fileURLToPath(url.replace(/[?#].*$/s, ''));
}

interface SyncHooks {
  resolve(
    specifier: string,
    context: { parentURL?: string },
    next: (specifier: string, context: unknown) => Resolved,
  ): Resolved;
  load(url: string, context: unknown, next: (url: string, context: unknown) => unknown): unknown;
}

/** Hooks for `module.registerHooks`: synchronous, in the program's own thread. */
export function createHooks(specs: readonly InstrumentSpec[], recorderPath: string): SyncHooks {
  const instrumentation = new EsmInstrumentation(specs, recorderPath);
  return {
    resolve: (specifier, context, next) =>
      instrumentation.redirect(specifier, context.parentURL, next(specifier, context)),
    load: (url, context, next) => instrumentation.standIn(url) ?? next(url, context),
  };
}
