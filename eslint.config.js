import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What a floor may import is the architecture (docs/architecture.md); these rules and test/architecture.test.ts hold it. */
const floor = (files, forbidden, reason) => ({
  files: [files],
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message: reason }] }],
  },
});

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'docs/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowThrowingAny: true }],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingUnknown: true, allowThrowingAny: true },
      ],
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      eqeqeq: 'error',
    },
  },
  floor(
    'src/protocol/**/*.ts',
    '^(node:|net$|events$|debug$|p-queue$)|/(transport|client|cli)/',
    'protocol knows bytes and messages: no socket, timer, promise, clock or emitter, and no other floor',
  ),
  floor('src/transport/**/*.ts', '/(protocol|client|cli)/', 'transport knows bytes and sockets; nothing of MooseFS'),
  floor(
    'src/client/**/*.ts',
    '/cli/|^buffer-layout$|^node:net$',
    'client reaches sockets through transport and the wire through protocol',
  ),
  floor(
    'src/cli/**/*.ts',
    '/(protocol|transport|client)/',
    'the command is a user of the public API (src/index.ts) and of nothing else',
  ),
  floor(
    'src/adapters/**/*.ts',
    '/(protocol|transport|client|cli)/|/errors',
    'an adapter is a user of the public API (src/index.ts) and of its host package, and of nothing else',
  ),
  {
    files: ['src/protocol/layout.ts', 'src/protocol/crc32.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/protocol/layout.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='buffer-layout']",
          message: 'only src/protocol/layout.ts imports buffer-layout',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['examples/*/public/*.js'],
    languageOptions: { sourceType: 'script', globals: { URL: 'readonly' } },
    rules: { '@typescript-eslint/no-dynamic-delete': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs', '*.config.ts'],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    // what these hand over, their hosts take as the default export
    files: ['*.config.*', '.ci/second-tries.mjs'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
