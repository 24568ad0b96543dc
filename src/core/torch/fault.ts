import { FirError } from '../errors.js';

/** What is wrong with a .pt file. The file's name is added where it is known. */
export class TorchFault extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Runs `action` on a file; a fault becomes the error TORCH_INVALID that names the file. */
export function naming<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof TorchFault)) throw error;
    throw new FirError('TORCH_INVALID', error.message, { where: path, hint: error.hint });
  }
}
