import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PROVIDER_REASONS_FILE, providerReasons, REASONS_FILE, reasonsDocument } from '../../infra/docs/reasons.ts';

it.each([
  ['docs/reasons.md', REASONS_FILE, reasonsDocument],
  ["the Airflow provider's reasons.json", PROVIDER_REASONS_FILE, providerReasons],
])('%s is what `npm run docs` writes from the table of reasons', (_what, file, written) => {
  expect(readFileSync(file, 'utf8')).toBe(written());
});
