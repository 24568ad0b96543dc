export { Dump } from './dump.js';
export { isRedactedCall } from './is-redacted.js';
export { lostStateOf } from './lost-state.js';
export { openSession } from './open.js';
export { isoFromTimestamp } from './record-head.js';
export { Session } from './session.js';
export type { CallEntry, CallStatus, Producer, StoredTensor, TensorGroupName } from './types.js';
