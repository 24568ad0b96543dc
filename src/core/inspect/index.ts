export { inspectSafetensors } from './inspect-file.js';
export { type InspectOptions, inspectSession } from './inspect-session.js';
export { inspectTorch } from './inspect-torch.js';
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
