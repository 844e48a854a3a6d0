import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const WORDS = 'Words that a person reads belong in the words.ts of the area';

/** Text, titles and labels in the markup of a component; sentences in its code. */
const literalText = [
  ':not(SvelteStyleElement, SvelteScriptElement) > SvelteText[value=/[A-Za-z]{2}/]',
  'SvelteAttribute[key.name=/^(title|label|aria-label|placeholder|alt|heading)$/] > SvelteLiteral[value=/[A-Za-z]{2}/]',
  'SvelteMustacheTag Literal[value=/[a-z]{2} [a-z]|^(?!Arrow|Page|Escape|Enter|Home|End|Tab|Delete|Backspace)[A-Z][a-z]/]',
  'SvelteMustacheTag TemplateElement[value.raw=/[a-z]{2} [a-z]/]',
  'SvelteScriptElement Literal[value=/[a-z]{2} [a-z]/]',
  'SvelteScriptElement TemplateElement[value.raw=/[a-z]{2} [a-z]/]',
].map((selector) => ({ selector, message: WORDS }));

export default ts.config(
  { ignores: ['.svelte-kit/', '.venv/', 'build/', 'tests/.made/', 'test-results/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node, ...globals.worker } },
    rules: {
      'no-undef': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // `noUncheckedIndexedAccess` asks for `!` where an index is known to be inside.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ['**/*.svelte'],
    ignores: [
      // The guide is prose throughout: it is the place of its own words.
      'src/lib/ui/guide/GuidePage.svelte',
    ],
    rules: { 'no-restricted-syntax': ['error', ...literalText] },
  },
);
