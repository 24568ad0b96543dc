/** Stable codes of every error that a user can meet; docs/errors.md lists the same set. */
export const ERROR_CODES = [
  'USAGE',
  'NOT_FOUND',
  'NOT_A_SESSION',
  'UNREADABLE_RECORD',
  'UNSAFE_PATH',
  'SESSION_IN_USE',
  'PACK_INVALID',
  'SAFETENSORS_INVALID',
  'TORCH_INVALID',
  'TENSOR_INVALID',
  'TENSOR_UNSUPPORTED',
  'TENSOR_DATA_MISSING',
  'TENSOR_CONFLICT',
  'DTYPE_UNKNOWN',
  'VALUE_INVALID',
  'NOT_REPLAYABLE',
  'NOT_ALLOWED',
  'MODULE_NOT_FOUND',
  'EXPORT_NOT_FOUND',
  'MODEL_CHANGED',
  'MODEL_MISSING',
  'DEVICE_MISSING',
  'WORKER_FAILED',
  'PYTHON_FAILED',
  'CAPTURE_FAILED',
  'COMMAND_NOT_FOUND',
  'COMMAND_NOT_EXECUTABLE',
  'REPORT_FAILED',
  'TOO_LARGE',
  'IO_FAILED',
  'INTERRUPTED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface FirErrorDetails {
  /** What the user can do next: one sentence or a command to type. */
  hint?: string | undefined;
  /** The file, line, byte offset or call that is at fault. */
  where?: string | undefined;
  cause?: unknown;
}

/** An error whose cause is known: what is wrong, with which file or call, and what to do about it. */
export class FirError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly where: string | undefined;

  constructor(code: ErrorCode, message: string, details: FirErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'FirError';
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
  }
}

/** The message of anything thrown, since JavaScript can throw anything. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
