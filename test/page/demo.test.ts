import { describe, expect, it } from 'vitest';
import { startDashboard } from '../../infra/local/demo/dashboard.ts';

const deployment = {
  ledgerBucket: 'ledger',
  runQueueUrl: 'http://127.0.0.1:1/queue',
  messageQueueUrl: 'http://127.0.0.1:1/messages',
  scheduleGroupName: 'schedules',
};
const environment = {
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
};

describe('the dashboard of the demo', () => {
  it('is the bundled command, serves the page, and may write', async () => {
    const dashboard = await startDashboard({ aws: { environment }, deployment });
    const { origin, hash } = new URL(dashboard.url);
    expect(hash).toMatch(/^#token=[\w-]{43}$/);
    expect(await (await fetch(`${origin}/runs`)).text()).toContain('/page.js');
    const style = await fetch(`${origin}/page.css`);
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect(await (await fetch(`${origin}/api/about`)).json()).toEqual({
      ledger: 'ledger',
      may: { act: true, targets: false, schedules: true },
    });
    dashboard.stop();
  });

  it('says why when it does not start', async () => {
    const bad = startDashboard({ aws: { environment }, deployment: { ...deployment, ledgerBucket: '' } });
    await expect(bad).rejects.toThrow(/which ledger\?/);
  });
});
