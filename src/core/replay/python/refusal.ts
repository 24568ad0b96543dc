import { ERROR_CODES, type ErrorCode, FirError } from '../../errors.js';
import type { PythonError } from './protocol.js';

/** Why the worker did not run a call, as an error of fir's. */
export function refusalOf(error: PythonError | undefined): FirError {
  const { name = 'Error', message = 'no reason', stack, code } = error ?? {};
  const known = ERROR_CODES.find((candidate): candidate is ErrorCode => candidate === code);
  const cause = stack === undefined ? {} : { cause: Object.assign(new Error(message), { name, stack }) };
  return new FirError(known ?? 'PYTHON_FAILED', message, cause);
}
