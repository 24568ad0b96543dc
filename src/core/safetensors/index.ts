export { encodeSafetensorsHeader, type SafetensorsWrite } from './encode-header.js';
export { type SafetensorsEntry, SafetensorsFile } from './safetensors-file.js';
export { writeSafetensors } from './write-safetensors.js';
