export { replaceMember } from './member-span.js';
export { parseJson } from './parse-json.js';
export { spliceJson } from './splice-json.js';
export { stringifyJson } from './stringify-json.js';
