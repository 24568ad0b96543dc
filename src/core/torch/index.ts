export type { TorchWrite } from './place-views.js';
export { TorchFile } from './torch-file.js';
export type { TorchStorage, TorchTensor } from './types.js';
export { writeTorch } from './write-torch.js';
