export { decodeToBigInt, decodeToFloat64, viewAs } from './decode.js';
export { encodeFromFloat64 } from './encode.js';
export { orderedBits } from './ordered.js';
export { byteLengthOf, DTYPES, dtypeFromSafetensors, dtypeOf } from './table.js';
