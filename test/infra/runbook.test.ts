import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

interface Alarm {
  readonly Type: string;
  readonly Properties: { readonly AlarmName?: { readonly 'Fn::Sub': string } };
}

const { Resources } = createRequire(import.meta.url)('../../infra/aws/monitoring.cjs') as {
  readonly Resources: Readonly<Record<string, Alarm>>;
};
const RUNBOOK = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

it('has an entry for each alarm, and for no other', () => {
  const alarms = Object.values(Resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => Properties.AlarmName?.['Fn::Sub'].replace('${AWS::StackName}-', ''));
  const entries = [...RUNBOOK.matchAll(/^### (.+)$/gm)].map(([, name]) => name);
  expect(alarms.length).toBeGreaterThan(10);
  expect(entries.sort()).toEqual(alarms.sort());
});
