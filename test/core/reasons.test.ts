import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REASONS } from '../../lib/core/reasons.ts';

const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');

it.each(Object.entries(REASONS))('README tells the reason %s with its class', (reason, { class: group }) => {
  expect(README).toContain(`| \`${reason}\` | ${group} |`);
});
