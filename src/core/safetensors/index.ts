export { encodeSafetensorsHeader, type SafetensorsWrite } from './encode-header.js';
export { SafetensorsFile } from './safetensors-file.js';
export { writeSafetensors } from './write-safetensors.js';
