import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

it.each(['job', 'config', 'message', 'run-event', 'deployment-event'])(
  'schema %s prints what docs/schemas has',
  async (name) => {
    const { code, out } = await runCli(['schema', name]);
    const file = new URL(`../../../../docs/schemas/${name}.v1.json`, import.meta.url);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  },
);

it.each([
  [['schema'], /job \| config/],
  [['schema', 'jobs'], /did you mean job\?/],
])('%j is not understood', async (argv, answer) => {
  expect(await runCli(argv)).toMatchObject({ code: 2, err: expect.stringMatching(answer) as string });
});
