/** JSON as a record may hold it: Python's writers add bare NaN and Infinity, and integers of 64 bits (bigint here). */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}
