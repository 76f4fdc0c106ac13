import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TRANSITIONS } from '../../lib/run/machine.ts';
import { RUN_STATES } from '../../lib/run/record.ts';

const DOCUMENT = readFileSync(new URL('../../docs/run-machine.md', import.meta.url), 'utf8');
const ROW = /^\| `([a-z]+)` \| `([a-z]+)` \| (.+) \|$/gm;
const rows = [...DOCUMENT.matchAll(ROW)].map(([, from = '', to = '', when = '']) => ({ from, to, when }));

describe('the document of the run machine', () => {
  it('has the transitions of the code, each once', () => {
    const code = RUN_STATES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} → ${to}`));
    expect(rows.map(({ from, to }) => `${from} → ${to}`).sort()).toEqual(code.sort());
  });

  it('names every state', () => {
    for (const state of RUN_STATES) expect(DOCUMENT).toContain(`\`${state}\``);
  });
});
