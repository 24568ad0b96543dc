import { CommandExit, type Failure, failureFrom, ToldFailure } from '../../cli/failure.js';
import type { FileInspection, SessionInspection } from '../../core/inspect/index.js';
import { JsonDocument } from '../json-document.js';
import type { Sink } from '../sink.js';

/** Writes `fir.inspect/1`, a call at a time. */
export async function writeSessionJson(inspection: SessionInspection, sink: Sink): Promise<void> {
  await whole(sink, async (document) => {
    await document.members({ format: inspection.format, session: inspection.session });
    await document.array('calls');
    for (const call of inspection.calls) await document.item(call);
    await document.members({ summary: inspection.summary() });
  });
}

/** Writes `fir.inspect-file/1`. */
export async function writeFileJson(inspection: FileInspection, sink: Sink): Promise<void> {
  await whole(sink, async (document) => {
    await document.members({ format: inspection.format, file: inspection.file });
    await document.array('tensors');
    for (const tensor of inspection.tensors) await document.item(tensor);
    if (inspection.notes !== undefined) await document.members({ notes: inspection.notes });
  });
}

/** A failure after the first byte ends the document with an `error`, so that stdout still holds one document. */
async function whole(sink: Sink, write: (document: JsonDocument) => Promise<void>): Promise<void> {
  const document = new JsonDocument(sink);
  try {
    await write(document);
  } catch (thrown) {
    if (!document.isStarted || thrown instanceof CommandExit) throw thrown;
    const failure: Failure = failureFrom(thrown, 'inspect');
    await document.fail(failure);
    throw new ToldFailure(failure);
  }
  await document.end();
}
