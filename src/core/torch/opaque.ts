import { quoteKey } from '../safetensors/quote-key.js';
import type { TorchOpaque } from './types.js';

const LONGEST_NAME = 120;

/** A value that is not read, and why. */
export function opaque(reason: string): TorchOpaque {
  return { kind: 'opaque', reason };
}

/** The name of a global for a message: in quotes and cut where it is not what Python would call something. */
export function showName(name: string): string {
  return name.length <= LONGEST_NAME && /^[\w.<>]+$/.test(name) ? name : quoteKey(name);
}
