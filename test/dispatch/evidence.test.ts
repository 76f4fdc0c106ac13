import { expect, it } from 'vitest';
import { explain } from '../../lib/verdict/decide.ts';
import { parseDecisionEvidence } from '../../lib/verdict/decision-evidence.ts';
import { HEALTHY, jobMessage, World } from './world/simulated.ts';

const MINUTE = 60_000;
const SECRET = 'hunter2-hunter2';

it('the log of a TaskManager that Flink has released is kept, and linked in the event', async () => {
  const world = new World();
  const { kubernetes, sim } = world;
  const { logOf } = kubernetes;
  kubernetes.logOf = (pod, previous) =>
    pod.labels['component'] === 'taskmanager' ? `log of ${pod.name}\n` : logOf(pod, previous);
  world.programs = [{ ...HEALTHY, endsAfter: 5 * MINUTE }];
  const { runId } = await world.request(jobMessage());
  await world.drainFor(5_000);
  const { clusterId } = world.refOf(runId);
  expect(kubernetes.makeTaskManager(clusterId)).toBe(true);
  sim.after(MINUTE, () =>
    kubernetes
      .all('Pod')
      .filter(({ labels }) => labels['component'] === 'taskmanager')
      .forEach((pod) => kubernetes.drop(pod)),
  );
  await world.drain();
  const items = world.events(runId).at(-1)?.data.evidence?.items ?? [];
  const log = items.find(({ name }) => name.endsWith('-taskmanager-1-1.log'));
  expect(String(world.evidence.get(log?.uri ?? ''))).toContain('log of');
  // Every link leads to something.
  expect(items.map(({ uri }) => uri).sort()).toEqual([...world.evidence.keys()].sort());
  // Not at every look.
  expect(world.asked(/^k8s GET deployments\//)).toBeGreaterThan(50);
  expect(world.asked(/^s3 put runs\/[0-9a-f]+\/evidence\//)).toBeLessThan(12);
});

it('the decision that ended an attempt is kept, and its rule stands in record, log and evidence', async () => {
  const world = new World();
  world.programs = [{ ...HEALTHY, end: 'FAILED' }];
  const { runId } = await world.request(jobMessage());
  await world.drain();
  const { outcome, attempts } = world.record(runId);
  expect(outcome).toMatchObject({ reason: 'JobFailed', rule: 'application-ended' });
  expect(attempts[0]).toMatchObject({ outcome: { rule: 'application-ended' } });
  const content = String(world.evidence.get(`s3://ledger/runs/${runId}/evidence/1/decision.json`));
  const kept = parseDecisionEvidence(content, 'decision.json');
  expect(kept).toMatchObject({ rule: 'application-ended', kind: 'ended', record: { runId } });
  expect(explain(kept).verdict).toMatchObject({ rule: 'application-ended', outcome: { reason: 'JobFailed' } });
  const verdicts = world.logged.filter((line) => line.startsWith('verdict '));
  expect(verdicts).toHaveLength(1);
  expect(verdicts[0]).toContain('"rule":"application-ended"');
  expect(world.logged.some((line) => /^run ended .*"rule":"application-ended"/.test(line))).toBe(true);
});

it('no evidence has a secret', async () => {
  const world = new World();
  world.kubernetes.watchers.push({
    created: (object) => void (object.podMessage = `env DB_PASSWORD=${SECRET}`),
    deleted: () => undefined,
    gone: () => undefined,
  });
  world.programs = [
    {
      ...HEALTHY,
      end: 'FAILED',
      log: `Program arguments: --password ${SECRET}\ns3.secret-key: ${SECRET}\nlog of a JobManager\n`,
      result: {
        answers: {
          '/jobs/x/config': { 'execution-config': { 'user-config': { password: SECRET } } },
          '/jobs/x': { plan: { args: ['--api-key', SECRET] } },
        },
      },
    },
  ];
  const { runId } = await world.request(jobMessage());
  await world.drain();
  const texts = [...world.evidence].map(([uri, content]) => [uri.split('/').at(-1), String(content)] as const);
  expect(texts.map(([name]) => name)).toEqual(
    expect.arrayContaining(['decision.json', 'kubernetes.json', 'rest.json']),
  );
  for (const [name, text] of texts) {
    expect(text, name).toContain('******');
    expect(text, name).not.toContain(SECRET);
  }
  expect(JSON.stringify(world.events(runId))).not.toContain(SECRET);
});

const REPORT = /^s3 put runs\/[0-9a-f]+\/report/;

it('a run that has ended has a report, which its last event alone links', async () => {
  const world = new World();
  world.programs = [{ ...HEALTHY, end: 'FAILED' }];
  const { runId } = await world.request(jobMessage());
  await world.drain();
  const uri = `s3://ledger/runs/${runId}/report.html`;
  expect(world.events(runId).map(({ data }) => data.report)).toEqual([undefined, undefined, uri]);
  const html = world.s3.text(`ledger/runs/${runId}/report.html`) ?? '';
  expect(html).toContain('✕</span> failed');
  // Its events as well, with the one that is about to be sent.
  expect(html).toContain(uri);
  expect(world.asked(REPORT)).toBe(1);
});

it('one that cannot be kept holds nothing up, and no event links it, however often that is sent', async () => {
  const world = new World();
  world.programs = [HEALTHY];
  const { runId } = await world.request(jobMessage());
  world.plans.strike(/ s3 put runs\/[0-9a-f]+\/report/, 'refused');
  world.plans.strike(/ events put/, 'crash-after');
  await world.drain();
  const { state, report, outcome } = world.record(runId);
  expect([state, report, outcome?.state]).toEqual(['closed', 'lost', 'succeeded']);
  expect(world.events(runId).at(-1)?.data).not.toHaveProperty('report');
  expect(world.logged.filter((line) => line.startsWith('the report was not kept'))).toHaveLength(1);
});

it('a crash between its report and its event is taken up', async () => {
  const world = new World();
  world.programs = [HEALTHY];
  const { runId } = await world.request(jobMessage());
  world.plans.strike(/ s3 put runs\/[0-9a-f]+\/report/, 'crash-after');
  await world.drain();
  expect(world.record(runId)).toMatchObject({ state: 'closed', report: 'kept' });
  expect(world.events(runId).at(-1)?.data.report).toBe(`s3://ledger/runs/${runId}/report.html`);
  expect(world.asked(REPORT)).toBe(2);
});
