import type { JsonObject } from '../model/json.js';
import type { TensorSource } from '../model/tensor.js';

/** What the encoder asks about objects that it does not know itself. */
export interface EncodeContext {
  /** Describes a tensor of a library's own class; undefined for anything else. */
  describeTensor?(value: object): TensorSource | undefined;
  /** Names a recorded object that is passed as an argument; undefined for anything else. */
  objectRef?(value: object): { self_id: number; class: string } | undefined;
}

/** Where the decoder gets what an encoded value only names. */
export interface DecodeContext {
  /** The tensor recorded under this key, in the class that the program had it in. */
  tensor(key: string): unknown;
  /** The replayed object; without this hook, a value that needs one is not replayable. */
  object?(ref: { self_id: number | bigint; class: string }): unknown;
  /** Decodes a node whose `type` the decoder does not know; undefined leaves it not replayable. */
  custom?(node: JsonObject): { value: unknown } | undefined;
}
