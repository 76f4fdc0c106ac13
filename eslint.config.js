import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const zodWithLocales = {
  selector: "ImportDeclaration[source.value='zod'] > ImportSpecifier",
  message: "Write `import * as z from 'zod'`: the named import bundles every locale.",
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '.local/', '.serverless/', 'coverage/', 'infra/cdk/*.d.mts'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-restricted-syntax': ['error', zodWithLocales],
      eqeqeq: 'error',
      complexity: ['error', 16],
      'max-depth': ['error', 3],
      'max-params': ['error', 5],
    },
  },
  {
    files: ['lib/**/*.ts', 'functions/**/*.ts', 'infra/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 220, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
  // What osls reads, and what is loaded before AWS' runtime client: neither can be an ES module.
  {
    files: ['infra/aws/*.cjs', 'test/lambda/*.cjs', 'test/chaos/streams/*.cjs'],
    languageOptions: { globals: { module: 'writable', require: 'readonly', Buffer: 'readonly' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
