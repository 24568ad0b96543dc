// Builds dist/: the library, the command line and the replay worker as ES modules, the preload files as
// CommonJS, the declarations of the public API; and oclif's manifest. `--fast` leaves the declarations out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const staging = join('node_modules', '.cache', `fir-build-${process.pid}`);

const LIBRARY = { index: 'src/index.ts', worker: 'src/core/replay/worker.ts' };
const PRELOAD = {
  'preload/register': 'src/preload/register.ts',
  'preload/recorder': 'src/preload/recorder.ts',
  'preload/log': 'src/preload/log.ts',
  'preload/call-redaction': 'src/preload/call-redaction.ts',
  'preload/esm-hooks': 'src/preload/esm-hooks.ts',
};
const MODULE_HOOKS = { 'preload/esm-loader': 'src/preload/esm-loader.ts' };
const AUTOCOMPLETE = 'node_modules/@oclif/plugin-autocomplete/lib/commands/autocomplete';
const COMMAND_LINE = {
  cli: 'src/cli/main.ts',
  'commands/capture': 'src/commands/capture.ts',
  'commands/filter': 'src/commands/filter.ts',
  'commands/inspect': 'src/commands/inspect.ts',
  'commands/prune': 'src/commands/prune.ts',
  'commands/replay': 'src/commands/replay.ts',
  'hooks/command-not-found': 'src/cli/command-not-found.ts',
  // oclif's own commands, bundled file by file: as listed plugins they would be looked for at every start.
  'commands/help': 'node_modules/@oclif/plugin-help/lib/commands/help.js',
  'commands/autocomplete/index': `${AUTOCOMPLETE}/index.js`,
  'commands/autocomplete/create': `${AUTOCOMPLETE}/create.js`,
  'commands/autocomplete/script': `${AUTOCOMPLETE}/script.js`,
};

const common = {
  absWorkingDir: root,
  outdir: staging,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
  // They are whole in a file of their own.
  legalComments: 'none',
  metafile: true,
};
const splitting = { format: 'esm', splitting: true, chunkNames: 'chunks/[name]-[hash]' };

/** Modules that oclif asks for at start-up and needs in rare cases only: in a bundle of their own, loaded at first use. */
const RARE = [
  'tinyglobby',
  'ejs',
  'lilconfig',
  'cli-spinners',
  'ansi-escapes',
  'wrap-ansi',
  'clean-stack',
  'minimatch',
];

const RARE_BUNDLE = {
  contents: `module.exports = { ${RARE.map((name) => `get '${name}'() { return require('${name}'); }`)} };`,
  resolveDir: join(root, 'node_modules', '@oclif', 'core'),
  sourcefile: 'rare.js',
};

const rareModule = (name) => `
  const load = () => require('./rare.cjs')['${name}'];
  module.exports = new Proxy(function () {}, {
    get: (_, name) => (name === '__esModule' ? false : load()[name]),
    apply: (_, self, args) => Reflect.apply(load(), self, args),
  });`;

/** Without DEBUG its loggers say nothing, and the real package would load tty and net for that. */
const QUIET_DEBUG = `
  const silent = () => Object.assign(() => {}, { enabled: false });
  module.exports = process.env.DEBUG ? require('debug') : silent;`;

/** Tells Windows' Linux from Linux, for updates that fir does not have. */
const NO_WSL = 'export const isWsl = false;';

/** Keeps what oclif does not need for a command out of start-up. */
const startUp = {
  name: 'start-up',
  setup(build) {
    const replace = (filter, contentsOf) => {
      build.onResolve({ filter }, ({ path, importer, resolveDir, namespace }) =>
        importer.includes(join('@oclif', 'core')) && namespace === 'file'
          ? { path, namespace: 'start-up', pluginData: { contents: contentsOf(path), resolveDir } }
          : undefined,
      );
    };
    replace(new RegExp(`^(${RARE.join('|')})$`), rareModule);
    replace(/^debug$/, () => QUIET_DEBUG);
    replace(/^wsl-utils$/, () => NO_WSL);
    build.onLoad({ filter: /.*/, namespace: 'start-up' }, ({ pluginData }) => ({
      ...pluginData,
      loader: 'js',
    }));
  },
};

/** What was compiled to WebAssembly asks for its directory, which an ES module does not have, and then reads nothing there. */
const webAssembly = {
  name: 'web-assembly',
  setup(build) {
    build.onLoad({ filter: /zstd-codec-binding-wasm\.js$/ }, ({ path }) => ({
      contents: `const __dirname = '.';\n${readFileSync(path, 'utf8')}`,
      loader: 'js',
    }));
  },
};

/** Writes all bundles, and returns the paths of what went into them. */
async function bundle() {
  const { build } = await import('esbuild');
  const results = await Promise.all([
    build({ ...common, ...splitting, entryPoints: LIBRARY, plugins: [webAssembly] }),
    build({
      ...common,
      entryPoints: PRELOAD,
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      external: ['./recorder.cjs', './log.cjs', './call-redaction.cjs'],
    }),
    build({ ...common, entryPoints: MODULE_HOOKS, format: 'esm', outExtension: { '.js': '.mjs' } }),
    build({
      ...common,
      stdin: RARE_BUNDLE,
      outfile: join(staging, 'chunks', 'rare.cjs'),
      outdir: undefined,
      format: 'cjs',
    }),
    build({
      ...common,
      ...splitting,
      entryPoints: COMMAND_LINE,
      plugins: [startUp, webAssembly],
      // Compilers that oclif would only load to run commands from their sources.
      external: ['typescript', 'ts-node', 'tsx', './rare.cjs'],
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    }),
  ]);
  return results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
}

/** The licences of the packages that the bundles contain. */
function writeLicences(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const match = /^(?:start-up:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match !== null) folders.add(match[1]);
  }
  const sections = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    // For a package that comes without its licence's text, or with code of others.
    const ours = join(root, 'scripts', 'licences', `${name}.txt`);
    const path = existsSync(ours) ? ours : file && join(root, folder, file);
    const text = path === undefined ? `License: ${license}` : readFileSync(path, 'utf8').trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  const line = `\n${'-'.repeat(80)}\n\n`;
  const title = 'dist/ contains code of these packages, under their licences.\n';
  writeFileSync(join(root, staging, 'THIRD-PARTY-LICENSES.txt'), [title, ...sections].join(line));
}

/** Replaces dist/ as a whole, so that a program that runs meanwhile meets the old build or the new one. */
function publish() {
  const dist = join(root, 'dist');
  const previous = join(root, `${staging}-previous`);
  if (existsSync(dist)) renameSync(dist, previous);
  renameSync(join(root, staging), dist);
  rmSync(previous, { recursive: true, force: true });
}

/** Names, flags and help of all commands, so that help and look-up load no command. */
async function writeManifest() {
  const { Plugin, settings } = await import('@oclif/core');
  settings.enableAutoTranspile = false;
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const plugin = new Plugin({ root, pjson, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  const { commands, version } = plugin.manifest;
  const sorted = Object.fromEntries(Object.entries(commands).sort());
  const path = join(root, staging, 'oclif.manifest.json');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ version, commands: sorted }, null, 2)}\n`);
  renameSync(path, join(root, 'oclif.manifest.json'));
}

function writeDeclarations() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

mkdirSync(join(root, staging), { recursive: true });
try {
  writeLicences(await bundle());
  publish();
  await writeManifest();
  if (!process.argv.includes('--fast')) writeDeclarations();
} catch (error) {
  // esbuild has told its own errors, with the place.
  if (error.errors === undefined) console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(join(root, staging), { recursive: true, force: true });
}
