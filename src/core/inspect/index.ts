export { inspectSafetensors } from './inspect-file.js';
export { type InspectOptions, inspectSession } from './inspect-session.js';
export type {
  FileInspection,
  InspectCall,
  InspectSessionInfo,
  InspectStatistics,
  InspectSummary,
  InspectTensor,
  JsonNumber,
  SessionInspection,
} from './types.js';
