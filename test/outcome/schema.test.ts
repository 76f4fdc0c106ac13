import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { eventJsonSchema, lifecycleEventSchema } from '../../lib/outcome/schema.ts';

const FILE = new URL('../../docs/schemas/run-event.v1.json', import.meta.url);

it('docs/schemas/run-event.v1.json is what the code says; WRITE_SCHEMAS=1 writes it', async () => {
  const style = await resolveConfig(FILE);
  const current = await format(JSON.stringify(eventJsonSchema()), { ...style, parser: 'json' });
  if (process.env['WRITE_SCHEMAS'] === '1') writeFileSync(FILE, current);
  expect(readFileSync(FILE, 'utf8')).toBe(current);
});

it('the example in docs/events.md follows the schema', () => {
  const text = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']): unknown => JSON.parse(json));
  const example = examples.at(-1);
  expect(lifecycleEventSchema.strict().parse(example)).toEqual(example);
});
