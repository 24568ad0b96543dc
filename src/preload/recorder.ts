import { createRequire } from 'node:module';
import { ADAPTERS } from '../core/adapters/index.js';
import { VERSION } from '../core/version.js';
import type { CallRedaction } from './call-redaction.js';
import type { CallLog } from './log.js';
import { HeaderFile } from './process-header.js';
import { Recordables } from './recordables.js';
import type { RecorderApi } from './recorder-api.js';
import { Recorder } from './recorder-core.js';
import { settingsFrom } from './settings.js';
import { wrapMember } from './wrap-member.js';

const requireFrom = createRequire(__filename);

const REGISTRY_KEY = Symbol.for('fir.recorder/1');
const registry = globalThis as unknown as Record<symbol, RecorderApi | undefined>;

/** The recorder of this thread: one, however many copies of this file are loaded. */
registry[REGISTRY_KEY] ??= createRecorder();

function createRecorder(): RecorderApi {
  const settings = settingsFrom(process.env);
  const redaction = settings.redact ? loadRedaction(settings.redactKey) : undefined;
  const header = new HeaderFile(settings, process.env['FIR_USER_NODE_OPTIONS'], VERSION, redaction);
  let log: CallLog | undefined;
  const openLog = (): CallLog => {
    log ??= loadLog(settings.logDest, redaction);
    return log;
  };
  const recorder = new Recorder(settings, header, openLog, redaction);
  const recordables = new Recordables(recorder, header);
  process.on('exit', () => {
    recorder.close();
    try {
      header.end();
    } catch {
      // A disk that is full or gone must not change how the program ends.
    }
  });
  return {
    recordable: (fn, options = {}) => recordables.fromFunction(fn, options),
    recordableClass: (Class, options = {}) => recordables.fromClass(Class, options),
    instrumentPackage: (packageName, exports, version) => {
      const adapter = ADAPTERS.find(({ packages }) => packages.includes(packageName));
      if (adapter === undefined) return;
      adapter.instrument(
        packageName,
        exports,
        {
          wrapMember: (owner, property, member, origin) =>
            wrapMember(recorder, owner, property, member, origin),
        },
        version,
      );
      header.addHooked(packageName, version);
    },
    instrumentExport: (path, exportName, value) => recordables.fromExport(path, exportName, value),
    noteError: (message) => recorder.noteError(message),
  };
}

function loadRedaction(key: string | undefined): CallRedaction {
  const loaded = requireFrom('./call-redaction.cjs') as typeof import('./call-redaction.js');
  return new loaded.CallRedaction(key, process.cwd());
}

function loadLog(destination: string, redaction: CallRedaction | undefined): CallLog {
  const { createLog } = requireFrom('./log.cjs') as typeof import('./log.js');
  return createLog(destination, redaction);
}
