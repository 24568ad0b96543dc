/** Words that FlashInfer's functions take as options, as its documentation lists them; without them few calls run at all. */
const WORDS: ReadonlySet<string> = new Set([
  ...[
    'NHD',
    'HND',
    'NONE',
    'ROPE_LLAMA',
    'ALIBI',
    'linear',
    'swizzled',
    'interleaved',
    '128x4',
    '8x4',
    'K',
    'MN',
  ],
  ...[
    'auto',
    'fa2',
    'fa3',
    'cudnn',
    'cutlass',
    'trtllm',
    'trtllm-gen',
    'cute-dsl',
    'xqa',
    'cublas',
    'cublaslt',
  ],
  ...['tgv', 'triton', 'deepgemm', 'native', 'gelu', 'gelu_tanh', 'silu', 'relu', 'relu2', 'swiglu', 'geglu'],
  ...['float16', 'bfloat16', 'float32', 'float64', 'half', 'int8', 'uint8', 'int32', 'int64', 'bool'],
  ...['float8_e4m3fn', 'float8_e5m2', 'bf16', 'fp16', 'fp32', 'fp8', 'fp4', 'nvfp4', 'mxfp4', 'mxfp8'],
  ...['joint', 'top_k_first', 'logits', 'probs', 'causal', 'cpu', 'cuda'],
]);

/** Whether a text is a word of FlashInfer's options, and tells nothing of what a program was asked. */
export function isOptionWord(text: string): boolean {
  return WORDS.has(text) || /^cuda:\d{1,2}$/.test(text);
}
