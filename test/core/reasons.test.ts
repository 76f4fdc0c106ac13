import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { REASONS_FILE, reasonsDocument } from '../../infra/docs/reasons.ts';

it('docs/reasons.md is what `npm run docs` writes from the table of reasons', () => {
  expect(readFileSync(REASONS_FILE, 'utf8')).toBe(reasonsDocument());
});
