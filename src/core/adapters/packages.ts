/** Packages that built-in adapters know: apart from the adapters, since every `require` of a recorded program is held against it. */
export const ADAPTER_PACKAGES = ['onnxruntime-node', 'onnxruntime-web'] as const;
