/** `plan` of `Attention.plan`; a plain function's whole name. */
export function memberOf(functionName: string): string {
  return functionName.slice(functionName.lastIndexOf('.') + 1);
}
