import type { DtypeName } from '../model/dtype.js';

/** One storage of a .pt file: memory that one or more tensors are views of. */
export interface TorchStorage {
  /** The name of its record under `data/`: `0`. */
  readonly key: string;
  /** As tagged when it was saved: `cpu`, `cuda:3`. */
  readonly device: string;
  readonly byteLength: number;
  /** Where it stands in the file, byte for byte; undefined where the archive holds it compressed. */
  readonly region: { readonly begin: number; readonly end: number } | undefined;
}

/** A tensor of a .pt file. Stride and offset are in elements; the layout lies within its storage. */
export interface TorchTensor {
  kind: 'tensor';
  dtype: DtypeName;
  shape: number[];
  stride: number[];
  offset: number;
  storage: TorchStorage;
  requiresGrad: boolean;
  isParameter: boolean;
}

/** A value that is no tensor that fir can read; `reason` says in words what it is. */
export interface TorchOpaque {
  kind: 'opaque';
  reason: string;
}
