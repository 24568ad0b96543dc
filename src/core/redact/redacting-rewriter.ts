import { parseJson, stringifyJson } from '../json/index.js';
import type { JsonObject } from '../model/json.js';
import type { Dump, Session } from '../session/index.js';
import { objectFrom } from '../session/json-fields.js';
import { processHeaderFrom } from '../session/process-headers.js';
import { adapterRedaction } from './record-rules.js';
import { recordTexts } from './record-texts.js';
import { redactForeign } from './redact-foreign.js';
import { redactHeader } from './redact-header.js';
import { redactRecord } from './redact-record.js';
import { foreignLayouts, layoutsOf, mutatedStatistics, redactedLayouts } from './redacted-tensors.js';
import { Redactor } from './redactor.js';

/** Rewrites the dumps of a session without values and texts. No tensor file is written: there is nothing to put in one. */
export class RedactingRewriter {
  readonly #session: Session;
  readonly #redactor = new Redactor();

  constructor(session: Session) {
    this.#session = session;
  }

  /** The lines of the dump's records. FirError UNREADABLE_RECORD, IO_FAILED. */
  rewrite(dump: Dump): string[] {
    const texts = recordTexts(dump);
    return dump.record.fir === undefined ? this.#foreign(dump, texts) : this.#own(dump, texts);
  }

  /** The text of a process header; of one that makes no sense, an empty one. */
  readonly rewriteHeader = (text: string): string => {
    const header = processHeaderFrom(objectFrom(parseJson(text)));
    return typeof header === 'string' ? '{}' : stringifyJson(redactHeader(header) as unknown as JsonObject);
  };

  #own(dump: Dump, texts: readonly string[]): string[] {
    const { record } = dump;
    const processUid = record.fir?.process_uid ?? '';
    const resolution = this.#session.resolveOf({ processUid, functionName: record.function_name }, record);
    const tensors = redactedLayouts(dump, adapterRedaction(resolution));
    const context = {
      redactor: this.#redactor,
      resolution,
      cwd: this.#session.processes.get(processUid)?.cwd,
      mutatedStats: mutatedStatistics(dump),
    };
    return texts.map((text) => {
      const parsed = objectFrom(parseJson(text)) ?? {};
      const fir = objectFrom(parsed['fir']);
      const keys = Object.keys(objectFrom(fir?.['tensors']) ?? {});
      const hasEnded = parsed['execution_status'] !== 'inputs_saved';
      return stringifyJson(
        redactRecord(parsed, {
          ...context,
          tensors: asJson(layoutsOf(tensors, keys)),
          mutatedStats: hasEnded ? asJson(context.mutatedStats) : {},
        }),
      );
    });
  }

  #foreign(dump: Dump, texts: readonly string[]): string[] {
    const tensors = foreignLayouts(dump);
    return texts.map((text) => redactForeign(text, tensors, this.#redactor));
  }
}

/** Typed fields are JSON, which TypeScript does not see of an interface. */
function asJson(fields: Readonly<Record<string, object>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, { ...field } as JsonObject]));
}
