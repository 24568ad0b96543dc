// Holds every import of bin/ and src/ against deps.json: which folders a folder may import, and which packages.
// A file belongs to the longest entry that its path begins with. An entry with others below it has only the files
// directly in it, so that a new folder needs an entry of its own. "src/core/*" stands for src/core and all below it.
// Types count as imports too, except those of src/core/model, which everyone may use.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOTS = ['bin', 'src'];
const TYPES_FOR_ALL = 'src/core/model';
const SOURCE = /\.[cm]?[jt]s$/;

/** Every forbidden import of the project in `root`, as a line each. */
function findViolations(root) {
  const rules = JSON.parse(readFileSync(join(root, 'deps.json'), 'utf8'));
  const folders = Object.keys(rules).sort((a, b) => b.length - a.length);
  const ownerOf = (path) => {
    const owner = folders.find((folder) => path.startsWith(`${folder}/`));
    const isShared = folders.some((folder) => folder.startsWith(`${owner}/`));
    return isShared && dirname(path) !== owner ? undefined : owner;
  };
  const violations = [];
  for (const file of ROOTS.flatMap((folder) => filesUnder(join(root, folder)))) {
    const path = portable(relative(root, file));
    const owner = ownerOf(path);
    if (owner === undefined) {
      violations.push(`${path}: its folder has no entry`);
      continue;
    }
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) continue;
      const isAllowed = specifier.startsWith('.')
        ? isPathAllowed(owner, portable(relative(root, resolve(dirname(file), specifier))), rules, ownerOf)
        : rules[owner].packages.includes(packageOf(specifier));
      if (!isAllowed) violations.push(`${path}: ${owner} may not import ${specifier}`);
    }
  }
  return violations;
}

function isPathAllowed(owner, target, rules, ownerOf) {
  const targetOwner = ownerOf(target);
  // What the build makes is no source: bin starts dist, the version is in package.json.
  if (targetOwner === undefined) return target.startsWith('dist/') || target === 'package.json';
  if (targetOwner === owner || targetOwner === TYPES_FOR_ALL) return true;
  return rules[owner].imports.some((allowed) =>
    allowed.endsWith('/*')
      ? targetOwner === allowed.slice(0, -2) || targetOwner.startsWith(allowed.slice(0, -1))
      : targetOwner === allowed,
  );
}

/** Specifiers of all imports of a file: static, dynamic, require, and those of types. */
function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) take(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node)) take(node.argument.literal);
    else if (ts.isCallExpression(node) && isImporting(node.expression)) take(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  const take = (specifier) => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
  };
  visit(source);
  return found;
}

function isImporting(callee) {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
  );
}

function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function filesUnder(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesUnder(path);
    return SOURCE.test(name) ? [path] : [];
  });
}

function portable(path) {
  return path.split(sep).join('/');
}

const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const violations = findViolations(root);
for (const violation of violations) console.error(violation);
if (violations.length > 0) {
  console.error(
    `${violations.length} forbidden imports: change the import, or deps.json where the design allows it`,
  );
  process.exitCode = 1;
}
