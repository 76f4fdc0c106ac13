import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { deploymentEventJsonSchema } from '../../lib/outcome/deployment-schema.ts';
import { eventJsonSchema, lifecycleEventSchema } from '../../lib/outcome/schema.ts';
import { httpApiSchema, SCHEMAS } from '../../infra/docs/schemas.ts';

it.each([
  ['run-event.v1.json', eventJsonSchema],
  ['deployment-event.v1.json', deploymentEventJsonSchema],
  ['http-api.v1.json', httpApiSchema],
  ...Object.entries(SCHEMAS),
])('docs/schemas/%s is what the code says; WRITE_SCHEMAS=1 writes it', async (name, schema) => {
  const file = new URL(`../../docs/schemas/${name}`, import.meta.url);
  const style = await resolveConfig(file);
  const current = await format(JSON.stringify(schema()), { ...style, parser: 'json' });
  if (process.env['WRITE_SCHEMAS'] === '1') writeFileSync(file, current);
  expect(readFileSync(file, 'utf8')).toBe(current);
});

it('the example in docs/events.md follows the schema', () => {
  const text = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```json\n([^]*?)```/g)].map(([, json = '']): unknown => JSON.parse(json));
  const example = examples.at(-1);
  expect(lifecycleEventSchema.strict().parse(example)).toEqual(example);
});
