/** One `--instrument` value: a file (absolute) or a package, and the exports to record. */
export interface InstrumentSpec {
  target: string;
  exports: string[];
}

/** Splits `./kernels.js#gemm,Attention`; no `#` means every function that is exported. */
export function splitInstrumentSpec(spec: string): InstrumentSpec {
  const at = spec.lastIndexOf('#');
  if (at < 0) return { target: spec, exports: [] };
  return {
    target: spec.slice(0, at),
    exports: spec
      .slice(at + 1)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
}
