/**
 * What is said of src as a whole, held by reading it: the floors, by every import; and the version gates, which docs/versions.md lists.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));

interface Source {
  /** The path below src, with slashes. */
  readonly path: string;
  /** The first folder, or the file itself. */
  readonly floor: string;
  readonly tree: ts.SourceFile;
  /** Every module that it names: imports, re-exports, dynamic imports, type imports. */
  readonly imports: readonly Imported[];
}

interface Imported {
  readonly specifier: string;
  /** For a relative import: the path below src. */
  readonly target: string | undefined;
}

function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  const dynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return dynamic ? node.arguments[0] : undefined;
}

const sources: readonly Source[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    const imports = [...nodesOf(tree)].flatMap((node) => {
      const found = specifierOf(node);
      if (found === undefined) return [];
      if (!ts.isStringLiteral(found)) throw new Error(`${file} imports what only running it can tell`);
      const target = found.text.startsWith('.') ? relative(root, join(root, dirname(file), found.text)) : undefined;
      return [{ specifier: found.text, target: target?.split(sep).join('/') }];
    });
    const path = file.split(sep).join('/');
    return { path, floor: path.split('/')[0]!, tree, imports };
  });

const ofFloor = (floor: string) => sources.filter((each) => each.floor === floor);
/** `file → import` for every import that a rule forbids. */
const offenders = (files: readonly Source[], forbidden: (imported: Imported, file: Source) => boolean): string[] =>
  files.flatMap((file) =>
    file.imports.filter((each) => forbidden(each, file)).map((each) => `${file.path} → ${each.specifier}`),
  );
const isFloor = (target: string | undefined, ...floors: string[]) =>
  target !== undefined && floors.includes(target.split('/')[0]!);

describe('the floors', () => {
  it('are there', () => {
    expect(ofFloor('protocol').length).toBeGreaterThan(15);
    expect(sources.flatMap((each) => each.imports).length).toBeGreaterThan(50);
  });
  it('src/errors.ts is a leaf', () => expect(offenders(ofFloor('errors.ts'), () => true)).toEqual([]));
  it('protocol imports itself, the errors and buffer-layout: no other floor, and of node only what a checksum needs', () => {
    expect(
      offenders(ofFloor('protocol'), ({ specifier, target }, { path }) => {
        if (target !== undefined) return !isFloor(target, 'protocol', 'errors.ts');
        if (path === 'protocol/crc32.ts') return !['node:module', 'node:zlib'].includes(specifier);
        return specifier !== 'buffer-layout';
      }),
    ).toEqual([]);
  });
  it('transport knows bytes: neither protocol, client nor cli', () => {
    const others = ({ target }: Imported) => target !== undefined && !isFloor(target, 'transport', 'errors.ts');
    expect(offenders(ofFloor('transport'), others)).toEqual([]);
  });
  it('client reaches sockets through transport and the wire through protocol', () => {
    expect(
      offenders(ofFloor('client'), ({ specifier, target }) =>
        target === undefined
          ? ['buffer-layout', 'node:net', 'net', 'node:tls', 'tls', 'node:dgram'].includes(specifier)
          : isFloor(target, 'cli'),
      ),
    ).toEqual([]);
  });
  it('cli is a user of the public API and of nothing else', () => {
    expect(
      offenders(ofFloor('cli'), ({ target }) => target !== undefined && !isFloor(target, 'cli', 'index.ts')),
    ).toEqual([]);
  });
  it('adapters are users of the public API and of their hosts, and nobody imports them', () => {
    const HOSTS = ['@tus/server', 'multer', '@flystorage/file-storage'];
    expect(ofFloor('adapters').length).toBeGreaterThan(2);
    expect(
      offenders(ofFloor('adapters'), ({ specifier, target }) =>
        target === undefined
          ? !specifier.startsWith('node:') && !HOSTS.includes(specifier)
          : !isFloor(target, 'adapters', 'index.ts'),
      ),
    ).toEqual([]);
    const rest = sources.filter((each) => each.floor !== 'adapters');
    expect(
      offenders(rest, ({ specifier, target }) => HOSTS.includes(specifier) || isFloor(target, 'adapters')),
    ).toEqual([]);
  });
  it('only layout.ts imports buffer-layout', () => {
    const importers = sources.filter((each) => each.imports.some(({ specifier }) => specifier === 'buffer-layout'));
    expect(importers.map((each) => each.path)).toEqual(['protocol/layout.ts']);
  });
  it('every relative import names a file with its ending', () => {
    expect(offenders(sources, ({ target }) => target !== undefined && !/\.(ts|json)$/.test(target))).toEqual([]);
  });
});

describe('protocol', () => {
  /** What has time, chance or waiting in it. */
  const FORBIDDEN = [
    ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Promise', 'Date', 'performance', 'process'],
    ...['EventEmitter', 'EventTarget', 'AbortSignal', 'AbortController', 'fetch', 'crypto', 'globalThis', 'global'],
  ];
  const found = (tree: ts.SourceFile) =>
    [...nodesOf(tree)].filter((node) => {
      if (ts.isAwaitExpression(node) || ts.isForOfStatement(node))
        return !ts.isForOfStatement(node) || !!node.awaitModifier;
      if (node.kind === ts.SyntaxKind.AsyncKeyword) return true;
      if (ts.isPropertyAccessExpression(node)) return node.getText() === 'Math.random';
      // Only what stands by itself: `session.processId` is no clock.
      const named = ts.isIdentifier(node) && FORBIDDEN.includes(node.text);
      return named && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node);
    });

  it.each(ofFloor('protocol'))('$path has no timer, promise, clock or chance', ({ tree }) => {
    expect(found(tree).map((node) => node.getText())).toEqual([]);
  });
  it('would be caught with one', () => {
    const sample =
      'const a = Date.now(); const b = Math.random(); setTimeout(() => a, 1); async function c() { await b; }';
    const tree = ts.createSourceFile('sample.ts', sample, ts.ScriptTarget.ESNext, true);
    expect(found(tree).map((node) => node.getText())).toEqual([
      'Date',
      'Math.random',
      'setTimeout',
      'async',
      'await b',
    ]);
  });
});

describe('every file of src', () => {
  it.each(sources)('$path has no default export and no state of the module', ({ tree }) => {
    for (const statement of tree.statements) {
      expect(ts.isExportAssignment(statement), 'a default export').toBe(false);
      const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
      expect(
        modifiers.some((each) => each.kind === ts.SyntaxKind.DefaultKeyword),
        'a default export',
      ).toBe(false);
      const variable =
        ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) === 0;
      expect(variable, `a variable of the module: ${statement.getText().slice(0, 60)}`).toBe(false);
      if (!ts.isExportDeclaration(statement) || !statement.exportClause) continue;
      if (!ts.isNamedExports(statement.exportClause)) continue;
      expect(statement.exportClause.elements.map((each) => each.name.text)).not.toContain('default');
    }
  });
});

describe('the version gates', () => {
  /** Where the range of supported versions is stated, and not a gate. */
  const LIMITS = 'protocol/version.ts';
  const GATE = /\b(?:since|until|version)\('(\d+\.\d+\.\d+)'(?:, '(\d+\.\d+\.\d+)')?\)/g;
  const declared = sources
    .filter(({ path }) => path !== LIMITS)
    .flatMap(({ tree }) => [...tree.text.matchAll(GATE)].flatMap(([, ...versions]) => versions.filter(Boolean)));
  const document = readFileSync(join(root, '../docs/versions.md'), 'utf8');
  const listed = [...document.matchAll(/^\| (\d+\.\d+\.\d+) +\|/gm)].map(([, version]) => version);

  it('are all in docs/versions.md, and nothing else is', () => {
    expect(listed.length).toBeGreaterThan(10);
    expect(listed).toEqual([...new Set(declared)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })));
  });
});

describe('the table of servers in the README', () => {
  const readme = readFileSync(join(root, '../README.md'), 'utf8');
  const versions = readdirSync(join(root, '../test/fixtures'))
    .map((name) => name.replace('.json', ''))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

  it('has a column for each version whose frames were captured', () => {
    const head = readme.split('\n').find((line) => line.includes('3.0.115') && line.startsWith('|'));
    expect(head?.match(/\d+\.\d+\.\d+/g)).toEqual(versions);
  });
});
