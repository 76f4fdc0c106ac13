import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { eventJsonSchema } from '../../lib/outcome/schema.ts';

const FILE = new URL('../../docs/schemas/run-event.v1.json', import.meta.url);

it('docs/schemas/run-event.v1.json is what the code says; WRITE_SCHEMAS=1 writes it', async () => {
  const style = await resolveConfig(FILE);
  const current = await format(JSON.stringify(eventJsonSchema()), { ...style, parser: 'json' });
  if (process.env['WRITE_SCHEMAS'] === '1') writeFileSync(FILE, current);
  expect(readFileSync(FILE, 'utf8')).toBe(current);
});
