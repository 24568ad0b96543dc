import { FirError } from '../errors.js';

/** The message of an error that reading may meet; anything else is a bug, and thrown on. */
export function reasonOf(error: unknown): string {
  if (error instanceof FirError) return error.message;
  if (error instanceof Error && 'syscall' in error) return error.message;
  throw error;
}
