import { createRequire } from 'node:module';

let made: NodeJS.Require | undefined;

/** `require` from this file. Made when first used: in a bundle of another format this file has no URL. */
export function requireHere(): NodeJS.Require {
  made ??= createRequire(import.meta.url);
  return made;
}
