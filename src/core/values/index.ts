export type { DecodeContext, EncodeContext } from './context.js';
export { decodeValue, ValueDecoder } from './decoder.js';
export { describeHostTensor } from './describe-host-tensor.js';
export { ValueEncoder } from './encoder.js';
export { hostFromTensor } from './host-from-tensor.js';
