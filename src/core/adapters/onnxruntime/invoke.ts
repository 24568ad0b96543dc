import { FirError, messageOf } from '../../errors.js';
import type { CallRecord } from '../../model/call.js';
import { allowedRunOptions, allowedSessionOptions } from './allowed-options.js';
import { LocatedModel } from './model-file.js';

export const CREATE_NAME = 'InferenceSession.create';
export const RUN_NAME = 'InferenceSession.run';
export const RELEASE_NAME = 'InferenceSession.release';

interface OrtSession {
  readonly outputNames: readonly string[];
  run(...args: unknown[]): Promise<unknown>;
  release(): Promise<void>;
}
interface OrtSessionClass {
  create(...args: unknown[]): Promise<unknown>;
}
type OrtTensorClass = abstract new (...args: never) => { readonly type: string };

/**
 * Runs a recorded call of a session. Options that could write a file or load a library stay behind and are named in
 * `notes`. FirError NOT_REPLAYABLE, and what the runtime throws.
 */
export function invokeCall(
  exports: Record<string, unknown>,
  record: CallRecord,
  self: object | undefined,
  args: readonly unknown[],
  notes: string[],
): unknown {
  const name = record.function_name;
  if (name === CREATE_NAME) return createSession(exports, args, notes);
  if (self === undefined || (name !== RUN_NAME && name !== RELEASE_NAME)) {
    throw new FirError('NOT_REPLAYABLE', `${name} is not a call that the onnxruntime adapter runs`);
  }
  return callSession(exports, record, self as OrtSession, args, notes);
}

async function callSession(
  exports: Record<string, unknown>,
  record: CallRecord,
  session: OrtSession,
  args: readonly unknown[],
  notes: string[],
): Promise<unknown> {
  // The release that made the recorded call fail may not be among the calls that are replayed.
  const wasReleased = /already disposed/.test(record.fir?.error?.message ?? '');
  if (wasReleased) await session.release().catch(() => undefined);
  if (record.function_name === RELEASE_NAME) return session.release();
  return runSession(exports, record, session, args, notes);
}

/** A mere string as the model would load any file: only one whose content was found to be the recorded one is taken. */
async function createSession(
  exports: Record<string, unknown>,
  args: readonly unknown[],
  notes: string[],
): Promise<unknown> {
  const Session = exports['InferenceSession'] as OrtSessionClass;
  const [model, ...rest] = args;
  if (typeof model === 'string') {
    throw new FirError('NOT_REPLAYABLE', 'the model is recorded as a path without its content');
  }
  const others = rest.map((value) => (isObject(value) ? allowedSessionOptions(value, notes) : value));
  if (!(model instanceof LocatedModel)) return Session.create(...args.slice(0, 1), ...others);
  try {
    return await Session.create(model.path, ...others);
  } catch (error) {
    throw model.withRecordedPath(error);
  }
}

function runSession(
  exports: Record<string, unknown>,
  record: CallRecord,
  session: OrtSession,
  args: readonly unknown[],
  notes: string[],
): Promise<unknown> {
  const OrtTensor = exports['Tensor'] as OrtTensorClass;
  const [feeds, ...rest] = args;
  const [fetches] = rest;
  const hasFetches =
    Array.isArray(fetches) || (isObject(fetches) && isFetches(fetches, session.outputNames, OrtTensor));
  const others = rest.map((value, index) =>
    isObject(value) && !(index === 0 && hasFetches) ? allowedRunOptions(value, notes) : value,
  );
  const result = session.run(...args.slice(0, 1), ...others);
  const hasFloat16 =
    isObject(feeds) &&
    Object.values(feeds).some((feed) => feed instanceof OrtTensor && feed.type === 'float16');
  return hasFloat16 && record.execution_status !== 'failed' ? result.catch(explainFloat16) : result;
}

/** Whether the runtime takes the second argument for fetches; otherwise it is options. Source: InferenceSession.run. */
function isFetches(value: object, outputNames: readonly string[], OrtTensor: OrtTensorClass): boolean {
  return outputNames.some((name) => {
    const fetch: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
    return fetch === null || fetch instanceof OrtTensor;
  });
}

/** Where Node has a Float16Array, the binding of onnxruntime-node takes its length for 0 (seen with 1.30). */
function explainFloat16(error: unknown): never {
  const message = messageOf(error);
  if (!/expected \d+, got 0/.test(message)) throw error;
  throw new FirError('TENSOR_UNSUPPORTED', `onnxruntime can't take float16 tensors here: ${message}`, {
    hint: 'replay with Node 22 or older, where a Uint16Array holds them',
    cause: error,
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
