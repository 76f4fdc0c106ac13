import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import type { Stack } from '../../infra/local/stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const ACTION = join(PROJECT, 'integrations/github-action');

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: {
    readonly steps: readonly {
      readonly id?: string;
      readonly run?: string;
      readonly env?: Readonly<Record<string, string>>;
    }[];
  };
}

/** What a workflow sees of a step that uses the action. */
export interface Used {
  /** Exit codes of the steps that were run, by their ids. */
  readonly exits: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** Runs steps of the action, in that order, as a runner does, with the command line of this clone in place of npm's. */
export async function useAction(
  stack: Stack,
  given: Readonly<Record<string, string>>,
  steps: readonly string[] = ['start', 'wait'],
): Promise<Used> {
  const { inputs, outputs, runs } = parse(await readFile(join(ACTION, 'action.yml'), 'utf8')) as Action;
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-action-'));
  const facts: Record<string, string> = { 'github.run_id': '17', 'github.run_attempt': '1', 'github.action': folder };
  for (const [name, { default: value }] of Object.entries(inputs)) facts[`inputs.${name}`] = given[name] ?? value;
  const filledIn = (text: string): string =>
    text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => facts[name] ?? '');
  const exits: Record<string, number> = {};
  try {
    await writeFile(join(folder, 'npx'), NPX, { mode: 0o755 });
    const summary = join(folder, 'summary');
    await writeFile(summary, '');
    for (const id of steps) {
      const { run = '', env = {} } = runs.steps.find((step) => step.id === id) ?? {};
      const told = join(folder, id);
      await writeFile(told, '');
      const values = Object.entries(env).map(([name, text]) => [name, filledIn(text)]);
      exits[id] = await bash(run, {
        ...stack.aws.environment,
        ...(Object.fromEntries(values) as Record<string, string>),
        PATH: [folder, process.env['PATH']].join(delimiter),
        ...{ GITHUB_ACTION_PATH: ACTION, GITHUB_OUTPUT: told, GITHUB_STEP_SUMMARY: summary },
      });
      for (const line of (await readFile(told, 'utf8')).trim().split('\n')) {
        const [name = '', ...value] = line.split('=');
        facts[`steps.${id}.outputs.${name}`] = value.join('=');
      }
    }
    const seen = Object.entries(outputs).map(([name, { value }]) => [name, filledIn(value)] as const);
    return { exits, outputs: Object.fromEntries(seen), summary: await readFile(summary, 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `npx --yes --package <package> -- flink-dispatch <arguments>` */
const NPX = `#!/bin/bash
[[ "$1 $2 $4 $5" == "--yes --package -- flink-dispatch" ]] || exit 99
exec "${process.execPath}" "${join(PROJECT, 'infra/cli.mjs')}" "\${@:6}"
`;

function bash(script: string, env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile('bash', ['-e', '-o', 'pipefail', '-c', script], { env }, () => undefined);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
