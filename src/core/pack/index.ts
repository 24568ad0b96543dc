export { packTarget } from './pack-target.js';
export { withSession } from './with-session.js';
