// Rules that find faults, not taste: formatting is nobody's job here.
import tseslint from 'typescript-eslint'

/** Names of properties whose text is shown. */
const SEEN = '/^(label|title|detail|hint|about|placeholder|alt|help|tooltip|caption|empty|heading|message|cure|aria-label|aria-description|aria-roledescription|aria-valuetext)$/'
const WORDS = "People read this: give it to t() or rich() of shared/messages/messages.ts."

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
  {
    // Whatever people read on the page is a message of the catalogue.
    files: ['src/renderer/**/*.ts', 'src/renderer/**/*.tsx'],
    ignores: ['src/renderer/**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' },
        { selector: 'JSXText[value=/[A-Za-z]{2}/]', message: WORDS },
        { selector: `JSXExpressionContainer > :matches(Literal, TemplateElement, ConditionalExpression > Literal, LogicalExpression > Literal)[value=/[A-Za-z]{2}.* |^[A-Z][a-z]+/]:not(JSXAttribute *)`, message: WORDS },
        { selector: `JSXAttribute[name.name=${SEEN}] :matches(Literal, TemplateElement)[value=/[A-Za-z]{2}/]:not(CallExpression *)`, message: WORDS },
        { selector: `Property[key.name=${SEEN}] > :matches(Literal[value=/[A-Za-z]{2}/], TemplateLiteral, ConditionalExpression > Literal[value=/[A-Za-z]{2}/])`, message: WORDS },
      ],
    },
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
