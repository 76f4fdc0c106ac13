import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRecord } from '../../lib/run/record-schema.ts';
import { recordKey, type EndedRun, type RunRecord } from '../../lib/run/record.ts';
import { without } from '../../lib/run/machine.ts';
import { reportOf } from '../../lib/view/report/report.ts';
import { barsOf } from '../../lib/view/report/bars.ts';
import { markup, Markup } from '../../lib/view/report/markup.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { appOn, get } from './app-on.ts';
import { HOSTILE, shownLedger, type Shown } from './ledger-of.ts';

const SECRET = 'hunter2-hunter2';

let shown: Shown;
let failed: RunRecord;
beforeAll(async () => {
  shown = await shownLedger();
  failed = parseRecord(shown.s3.text(`ledger/${recordKey(shown.failed)}`) ?? '');
}, 120_000);

describe('markup', () => {
  it('escapes what is no markup, and leaves out what is not there', () => {
    expect(markup`<p title="${HOSTILE}">${[HOSTILE, undefined, false, 3]}${new Markup('<b>')}</p>`.text).toBe(
      `<p title="${ESCAPED}">${ESCAPED}3<b></p>`,
    );
  });
});

const ESCAPED =
  '&lt;img src=x onerror=&quot;window.hurt=1&quot;&gt;&lt;script&gt;window.hurt=1&lt;/script&gt;&quot;&#39;&amp;{{7*7}}';

describe('a report', () => {
  it('is in the ledger as it is made of the record, and the event links it', () => {
    const path = `ledger/runs/${shown.failed}/report.html`;
    expect(shown.s3.text(path)).toContain('<h2>Cause</h2>');
    expect(failed.report).toBe('kept');
    expect(reportOf(failed, 'ledger')).toContain(`s3://${path}`);
  });

  it('says the cause, what it rests on, the rule, what to do, the attempts, the events and the spec', () => {
    const html = reportOf(failed, 'ledger');
    const { outcome } = failed;
    expect(html).toContain('<strong>JobFailed</strong> <span class="quiet">(user)</span>');
    expect(html).toContain(
      'Decided by the rule <code>application-ended</code>: All jobs of the application have ended',
    );
    expect(html).toContain('See rootException.');
    for (const line of outcome?.evidence ?? []) expect(html).toContain(line.split("'")[0]);
    expect(html.match(/<h3>Attempt \d<\/h3>/g)).toEqual(['<h3>Attempt 1</h3>', '<h3>Attempt 2</h3>']);
    expect(html.match(/<summary>\d\. [a-z-]+ /g)).toHaveLength(failed.events.length);
    expect(html).toContain('<a href="evidence/2/decision.json">decision.json</a>');
    expect(html).toContain('As it was asked for');
    expect(html).toContain(`flink-dispatch runs explain ${shown.failed}`);
  });

  it('has what jobs say as text, runs no script, and lets its own style through alone', () => {
    const hostile = { ...failed, name: HOSTILE, outcome: { ...failed.outcome, message: HOSTILE } } as RunRecord;
    const html = reportOf(hostile, 'ledger');
    expect(html).toContain(ESCAPED);
    expect(
      html.match(
        /<(?!\/?(?:html|head|meta|title|style|body|main|h[123]|p|span|div|strong|code|pre|ul|li|a|section|table|caption|thead|tbody|tr|th|td|svg|rect|dl|dt|dd|details|summary)\b|!doctype)/g,
      ),
    ).toBeNull();
    expect(html).not.toMatch(/<[^>]* on\w+=|javascript:|<script|<img|src=(?!x)/);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(html).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;;`);
  });

  it('has no secret', () => {
    const asked = { spec: { env: [{ name: 'DB_PASSWORD', value: SECRET }] } };
    const outcome = { ...failed.outcome, message: `password=${SECRET}` };
    const html = reportOf({ ...failed, asked, outcome } as RunRecord, 'ledger');
    expect(html).not.toContain(SECRET);
    expect(html).toContain('******');
  });

  it('is the same of the same record, also of one that was rejected before it had a job', () => {
    const rejected = sampleRecord({ state: 'closed' });
    expect(reportOf(rejected, 'ledger')).toBe(reportOf(rejected, 'ledger'));
    const bare = without({ ...failed, attempts: [] } as EndedRun, 'job');
    expect(reportOf(bare, 'ledger')).toContain('It was rejected before its job could be read.');
  });

  it('draws each step within its picture', () => {
    const steps = [
      { kind: 'accepted', from: 0, to: 0 },
      { kind: 'running', attempt: 1, from: 0, to: 900 },
      { kind: 'removing', attempt: 1, from: 900 },
    ] as const;
    const bars = barsOf(steps, 1_000).text;
    const drawn = [...bars.matchAll(/<rect class="(\w+)" x="(\d+)" width="(\d+)"/g)].map(([, ...it]) => it);
    expect(drawn).toEqual([
      ['accepted', '0', '2'],
      ['running', '0', '576'],
      ['removing', '576', '64'],
    ]);
  });

  it('of a run that goes on is made when it is asked for, and is a file', async () => {
    const answer = await get(appOn(shown.s3), `/api/runs/${shown.running}/report.html`);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${shown.running}.html"`);
    expect(await answer.text()).toContain('●</span> running');
  });
});
