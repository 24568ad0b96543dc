import type { Adapter } from './contract.js';
import { onnxruntime } from './onnxruntime.js';

/** Every library that fir knows, through the same door as any other. */
export const ADAPTERS: readonly Adapter[] = [onnxruntime];
