// Rules that find faults, not taste: formatting is nobody's job here.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['out/**', 'node_modules/**', '.cache/**', 'coverage/**', 'test-results/**', 'cluster/**', 'resources/**'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      eqeqeq: ['error', 'smart'],
      // stdout is for results alone; what people read goes to stderr.
      'no-console': ['error', { allow: ['error', 'warn'] }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    rules: { '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }] },
  },
  {
    // The engine must never lose an error in a promise nobody waits for.
    files: ['src/main/**/*.ts', 'src/preload/**/*.ts', 'src/shared/**/*.ts'],
    languageOptions: { parserOptions: { project: ['./tsconfig.node.json'], tsconfigRootDir: import.meta.dirname } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
  {
    files: ['src/renderer/**/*.ts', 'src/renderer/**/*.tsx'],
    languageOptions: { parserOptions: { project: ['./tsconfig.web.json'], tsconfigRootDir: import.meta.dirname } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
  { files: ['scripts/**/*.mjs', 'bin/**/*.mjs', 'test/**'], rules: { 'no-console': 'off' } },
  {
    // They run before anything is installed.
    files: ['scripts/**/*.mjs', 'bin/**/*.mjs'],
    ignores: ['scripts/**/*.test.mjs'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: '^(?!node:|\\.{1,2}/)', message: 'Launchers run before any package is installed: only node: modules and own files.' }, { regex: '/src/|\\.ts$', message: 'Launchers run under Node 20, which does not read TypeScript.' }] }],
    },
  },
  {
    // A step of set-up that nobody waits for would end in the middle of the next one.
    files: ['scripts/**/*.mjs', 'bin/**/*.mjs'],
    languageOptions: { parserOptions: { project: ['./tsconfig.scripts.json'], tsconfigRootDir: import.meta.dirname } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
)
