import { expect, it } from 'vitest';
import { refusals, WAYS } from './refusals.ts';

it.each(['standalone', '1.20', '1.19'] as const)(
  'a hostile spec is refused by its field, or harmless: %s',
  async (way) => {
    await expect(await refusals(WAYS[way])).toMatchFileSnapshot(`../../fixtures/judge/${way}.txt`);
  },
);
