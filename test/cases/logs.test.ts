import { describe, expect, it } from 'vitest';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';
import { jobEndsInLog } from '../../lib/diagnosis/terminal-state-log.ts';
import { rootException } from '../../lib/flink/rest/root-exception.ts';
import { jobOutcome } from '../../lib/verdict/job-outcome.ts';
import { LAYOUTS, type Layout } from '../diagnosis/flink-log/layouts.ts';
import { jobOf, NOW, runIn } from '../verdict/observations.ts';

describe('log-layouts', () => {
  const id = '0f779951a567e5852aff718844e93e6b';
  const traceOf = (first: string, root: string): string =>
    `org.apache.flink.${first}\n\tat org.apache.flink.X.y(X.java:1)\nCaused by: ${root}\n\tat com.acme.Z.z(Z.java:2)\n\t... 3 more`;
  const bucket = 'java.io.IOException: Cannot reach bucket warehouse: 403';
  const key = 'java.lang.IllegalStateException: table orders has no primary key';
  const mainTrace = traceOf('client.program.ProgramInvocationException: The main method caused an error: boom', key);
  const reported = ["Flink's log4j", "Flink's logback", 'ISO 8601 with T', 'the level in brackets'];

  it.each([...reported, 'JSON: ECS with dots', 'JSON: logstash-logback-encoder'])('%s tells the root cause', (name) => {
    const event: Layout = LAYOUTS[name] ?? (() => '');
    const fatal = event(
      'ERROR',
      'Fatal error occurred in the cluster entrypoint.',
      traceOf('util.FlinkException: Could not start the JobManager.', bucket),
    );
    const main = event('WARN', 'Application failed unexpectedly:', mainTrace);
    const failed = event('INFO', `Job wordcount (${id}) switched from state FAILING to FAILED.`, mainTrace);
    expect(findInLog(event('INFO', 'Starting') + fatal)?.rootException).toBe(bucket);
    expect(findInLog(event('INFO', 'Starting') + main)?.rootException).toBe(key);
    expect(jobEndsInLog(failed + event('INFO', 'Stopping'))).toMatchObject([
      { id, state: 'FAILED', rootException: { message: key } },
    ]);
  });
});

describe('python-root', () => {
  it("the message shows the last line of Python's traceback", () => {
    const frames = Array.from({ length: 60 }, (_, i) => `  File "/opt/job.py", line ${i}, in f${i}\n    row[key]\n`);
    const trace = `java.lang.RuntimeException: Job failed\n\tat a.B.c(B.java:1)\nCaused by: java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (most recent call last):\n${frames.join('')}KeyError: 'customer_id'\n\n\tat org.apache.beam.X.y(X.java:1)`;
    const root = rootException(trace);
    const job = jobOf(runIn('running', 5000), { state: 'FAILED', endTime: NOW });
    const outcome = jobOutcome(job, { result: { rootException: root, answers: {} }, finding: undefined, log: '' }, NOW);
    expect(root.message).toBe("KeyError: 'customer_id'");
    expect(outcome?.message).toBe("The job failed: KeyError: 'customer_id'");
  });
});
