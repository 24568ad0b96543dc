import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below a directory with its content as base64, and every directory with `null`. */
export function treeOf(root: string, prefix = ''): Record<string, string | null> {
  const tree: Record<string, string | null> = {};
  for (const name of readdirSync(root).sort()) {
    const path = join(root, name);
    if (statSync(path).isDirectory())
      Object.assign(tree, { [`${prefix}${name}/`]: null }, treeOf(path, `${prefix}${name}/`));
    else tree[`${prefix}${name}`] = readFileSync(path, 'base64');
  }
  return tree;
}
