#!/usr/bin/env node
// Answers --version by itself; everything else starts the command line. Built-in modules are fetched, not imported:
// importing node:fs alone would take a tenth of the time in which `fir --version` answers.
const { readFileSync } = process.getBuiltinModule('node:fs');
const { fileURLToPath } = process.getBuiltinModule('node:url');

const root = fileURLToPath(new URL('..', import.meta.url));
const argv = process.argv.slice(2);

if (argv[0] === '--version') {
  const { name, version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
} else {
  cacheCompiledCode();
  const { main } = await import('../dist/cli.js');
  await main(argv, root);
}

/** Where Node can (22.1 and newer), in the user's own cache: what another user could write there would be run. */
function cacheCompiledCode() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const cache = XDG_CACHE_HOME || (HOME ? `${HOME}/.cache` : undefined);
  if (cache !== undefined)
    process.getBuiltinModule('node:module').enableCompileCache?.(`${cache}/fir/compiled`);
}
