/** The examples in the TSDoc of the public API and in the README: every verb has one, and every one compiles as a user would write it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const src = join(root, 'src');

/** What users name by the package's exports, and where it lies here. */
const modules: Record<string, string[]> = { 'moosefs-client': ['src/index.ts'] };
for (const name of ['tus', 'multer', 'flystorage']) modules[`moosefs-client/${name}`] = [`src/adapters/${name}.ts`];

/** Classes without verbs of their own: what they hold is told by their fields, or node's own class is what they are. */
const WITHOUT_VERBS = new Set(['Stats', 'BigIntStats', 'Dirent', 'ReadStream', 'WriteStream']);

interface Example {
  /** Where it stands: `client/file-system.ts:123`. */
  readonly at: string;
  readonly code: string;
}

/** Every code block of every `@example` in a file. */
function examplesIn(path: string): Example[] {
  const text = readFileSync(path, 'utf8');
  const found: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const body = comment[0].replaceAll(/^[ \t]*\* ?/gm, '');
    const example = body.indexOf('@example');
    if (example < 0) continue;
    const line = text.slice(0, comment.index).split('\n').length;
    for (const [, code] of body.slice(example).matchAll(/```ts\n([\s\S]*?)```/g))
      found.push({ at: `${relative(src, path)}:${line}`, code: code! });
  }
  return found;
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => join(src, name));
const readme = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code], i): Example => ({ at: `README.md, example ${i + 1}`, code: code! }),
);
const examples = [...sources.flatMap(examplesIn), ...readme];

/** What an example may take for granted. */
const AMBIENT = `import type { MooseFS } from 'moosefs-client';
declare global {
  const mfs: MooseFS;
}
`;

interface Verb {
  readonly name: string;
  readonly declarations: readonly ts.Declaration[];
}

/** The functions and methods of an exported name that a user calls. */
function verbsOf(symbol: ts.Symbol): Verb[] {
  const { name, declarations = [] } = symbol;
  if (symbol.flags & ts.SymbolFlags.Function) return [{ name, declarations }];
  if (WITHOUT_VERBS.has(name)) return [];
  const isApi = symbol.flags & ts.SymbolFlags.Interface && name.endsWith('Api');
  if (!(symbol.flags & ts.SymbolFlags.Class) && !isApi) return [];
  const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
  return members
    .filter((member) => member.flags & ts.SymbolFlags.Method && isPublic(member))
    .map((member) => ({ name: `${name}.${member.name}`, declarations: member.declarations ?? [] }));
}

function isPublic({ name, declarations = [] }: ts.Symbol): boolean {
  if (name.startsWith('_') || name.startsWith('#')) return false;
  return declarations.every(
    (each) =>
      !(ts.getCombinedModifierFlags(each) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) &&
      !ts.getJSDocTags(each).some(({ tagName }) => tagName.text === 'internal'),
  );
}

const hasExample = (declaration: ts.Declaration): boolean =>
  ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'example');

let program: ts.Program;

beforeAll(() => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, paths: Object.fromEntries(Object.entries(modules)) },
    root,
  );
  expect(errors).toEqual([]);
  // Each in a module of its own, in a folder that is not there.
  const files = new Map(
    examples.map(({ code }, i) => [join(root, `examples-of-tsdoc/${i}.ts`), `${code}\nexport {};\n`]),
  );
  files.set(join(root, 'examples-of-tsdoc/ambient.ts'), AMBIENT);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.readFile = (path) => files.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, how, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, how, ...rest)
      : ts.createSourceFile(path, text, how, true);
  };
  program = ts.createProgram({ rootNames: [...files.keys(), join(root, 'src/index.ts')], options, host });
}, 120_000);

test('every example compiles', { timeout: 120_000 }, () => {
  expect(examples.length).toBeGreaterThan(60);
  const wrong = examples.flatMap(({ at }, i) => {
    const file = program.getSourceFile(join(root, `examples-of-tsdoc/${i}.ts`))!;
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${at}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
  expect(wrong).toEqual([]);
});

test('every public verb has an example', () => {
  const checker = program.getTypeChecker();
  const index = program.getSourceFile(join(root, 'src/index.ts'))!;
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(index)!);
  const verbs: string[] = [];
  const without: string[] = [];
  for (const each of exported) {
    const symbol = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each;
    for (const { name, declarations } of verbsOf(symbol)) {
      verbs.push(name);
      if (!declarations.some((declaration) => hasExample(declaration))) without.push(name);
    }
  }
  expect(verbs.length).toBeGreaterThan(60);
  expect(without).toEqual([]);
});
