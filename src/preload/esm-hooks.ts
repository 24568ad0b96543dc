import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InstrumentSpec } from './instrument-spec.js';
import { isEsModule } from './module-kind.js';

const MARK = 'fir-instrument';

/** The ways to write a default export; another one in a comment or a string only adds an export that is undefined. */
const DEFAULT_EXPORT = /\bexport\s+default\b|\bas\s+default\b|\bexport\s*\{[^}]*\bdefault\b(?!\s+as\b)/;

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
    const { url } = resolved;
    if (parentURL === undefined || parentURL.includes(MARK) || !url.startsWith('file:')) return resolved;
    const path = pathFrom(url);
    const index = this.#specs.findIndex(({ target }) => target === specifier || target === path);
    if (index < 0 || !isModuleFormat(resolved)) return resolved;
    const mark = `${url.includes('?') ? '&' : '?'}${MARK}=${index}`;
    return { ...resolved, url: `${url}${mark}`, format: 'module', shortCircuit: true };
  }

  /** The source of a stand-in: everything the module exports, the listed exports recorded. */
  standIn(url: string): Loaded | undefined {
    const at = url.search(new RegExp(`[?&]${MARK}=`));
    if (at < 0) return undefined;
    const real = url.slice(0, at);
    const spec = this.#specs[Number(url.slice(at + MARK.length + 2))];
    if (spec === undefined) return undefined;
    const path = pathFrom(real);
    const passesDefault =
      !spec.exports.includes('default') && DEFAULT_EXPORT.test(readFileSync(path, 'utf8'));
    const lines = [
      `import { createRequire } from 'node:module';`,
      `import * as original from ${JSON.stringify(real)};`,
      `export * from ${JSON.stringify(real)};`,
      `createRequire(import.meta.url)(${JSON.stringify(this.#recorderPath)});`,
      `const recorder = globalThis[Symbol.for('fir.recorder/1')];`,
      ...spec.exports.map((name, index) => {
        const args = `${JSON.stringify(path)}, ${JSON.stringify(name)}, original[${JSON.stringify(name)}]`;
        return `const export${index} = recorder.instrumentExport(${args});\nexport { export${index} as ${JSON.stringify(name)} };`;
      }),
      ...(passesDefault ? [`const passed = original.default;\nexport { passed as default };`] : []),
    ];
    return { format: 'module', source: lines.join('\n'), shortCircuit: true };
  }
}

/** Node leaves the format open where the file itself must tell, and for kinds of files that a loader compiles. */
function isModuleFormat({ url, format }: Resolved): boolean {
  if (format === null || format === undefined) return isEsModule(pathFrom(url));
  return format.startsWith('module');
}

function pathFrom(url: string): string {
  return fileURLToPath(url.replace(/[?#].*$/s, ''));
}

interface SyncHooks {
  resolve(
    specifier: string,
    context: { parentURL?: string; conditions?: readonly string[] },
    next: (specifier: string, context: unknown) => Resolved,
  ): Resolved;
  load(url: string, context: unknown, next: (url: string, context: unknown) => unknown): unknown;
}

/** Hooks for `module.registerHooks`: synchronous, in the program's own thread. */
export function createHooks(specs: readonly InstrumentSpec[], recorderPath: string): SyncHooks {
  const instrumentation = new EsmInstrumentation(specs, recorderPath);
  return {
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      // What `require` gets of an ES module is replaced after loading: Node takes a stand-in for the module itself.
      return context.conditions?.includes('require')
        ? resolved
        : instrumentation.redirect(specifier, context.parentURL, resolved);
    },
    load: (url, context, next) => instrumentation.standIn(url) ?? next(url, context),
  };
}
