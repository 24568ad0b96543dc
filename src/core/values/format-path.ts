/** A step into a container: a property, or a position. */
export type PathStep = string | number | symbol;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const MAX_STEPS = 16;
const MAX_NAME_LENGTH = 64;

/** How a programmer would write the place: `arg_1.onProgress`, `arg_0[3]["odd name"]`. */
export function formatPath(root: string, steps: readonly PathStep[]): string {
  const shown = steps.slice(0, MAX_STEPS).map(formatStep).join('');
  return `${root}${shown}${steps.length > MAX_STEPS ? '…' : ''}`;
}

function formatStep(step: PathStep): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'symbol') return `[${String(step).slice(0, MAX_NAME_LENGTH)}]`;
  const name = step.slice(0, MAX_NAME_LENGTH);
  return IDENTIFIER.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
