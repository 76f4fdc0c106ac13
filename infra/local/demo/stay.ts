import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { Deployment } from '../aws/deploy.ts';
import type { Stack } from '../stack.ts';
import { describeError } from '../../../lib/core/errors.ts';
import { startDashboard } from './dashboard.ts';
import { announceSession } from './session.ts';
import { EXAMPLE_KEY, EXAMPLE_SPEC } from './show.ts';
import { seconds, type Terminal } from './terminal.ts';

const JOB = 'scheduled-wordcount';
const PERIOD_MINUTES = 5;
const KEYWORDS = { schedule: '<aws.scheduler.schedule-arn>', scheduledTime: '<aws.scheduler.scheduled-time>' };
const FOREVER_MS = 2 ** 31 - 1;

/** Keeps the stack up until a signal ends this process, and shows every event. */
export async function stay(stack: Stack, terminal: Terminal): Promise<never> {
  const { jarBucket } = stack.deployment;
  const jarURI = `s3://${jarBucket}/${EXAMPLE_KEY}`;
  await stack.storeJob(JOB, { ...EXAMPLE_SPEC, name: JOB, job: { ...EXAMPLE_SPEC.job, jarURI } });
  await stack.schedule({
    name: JOB,
    expression: `rate(${PERIOD_MINUTES} minutes)`,
    input: { job: JOB, ...KEYWORDS },
  });
  await announceSession(stack);
  const dashboard = await startDashboard(stack).then(
    ({ url }) => url,
    (error: unknown) => describeError(error),
  );
  for (const line of instructions(stack, dashboard))
    terminal.line(line === '' || line.startsWith(' ') ? line : terminal.style('bold', line));
  let shown = stack.subscriber.deliveries.length;
  for (;;) {
    await stack.nextEvent(() => stack.subscriber.deliveries.length > shown, FOREVER_MS);
    for (const { event } of stack.subscriber.deliveries.slice(shown)) {
      terminal.line(`  ${describe(event, terminal)}`);
      shown += 1;
    }
  }
}

function describe({ time, subject, data }: LifecycleEvent, terminal: Terminal): string {
  const facts = [
    data.reason,
    data.message,
    data.duration === undefined ? undefined : `after ${seconds(data.duration)}`,
  ];
  const detail = facts.filter((fact) => fact !== undefined).join(', ');
  return `${time}  ${subject}  ${data.name.padEnd(20)} ${terminal.style('cyan', data.state)} ${detail}`;
}

/** `aws` with its address as a flag: early versions do not read AWS_ENDPOINT_URL. `fileb://` is the same in all versions. */
function scheduling(awsCommand: string, { scheduleGroupName, scheduleRoleArn, scheduleTargetArn }: Deployment) {
  const group = `--group-name ${scheduleGroupName}`;
  const input = JSON.stringify({ job: JOB, ...KEYWORDS });
  const target = JSON.stringify({ Arn: scheduleTargetArn, RoleArn: scheduleRoleArn, Input: input });
  const [, , , region = '', account = ''] = scheduleTargetArn.split(':');
  const schedule = `arn:aws:scheduler:${region}:${account}:schedule/${scheduleGroupName}/${JOB}`;
  const missed = { job: JOB, schedule, scheduledTime: '2026-01-01T00:00:00Z' };
  return [
    `The schedule ${JOB} runs its job every ${PERIOD_MINUTES} minutes. One of yours`,
    `  ${awsCommand} scheduler create-schedule --name mine ${group} --schedule-expression 'rate(10 minutes)' --flexible-time-window Mode=OFF --target '${target}'`,
    'A time that a schedule has missed, by hand',
    `  echo '${JSON.stringify(missed)}' > missed.json`,
    `  ${awsCommand} lambda invoke --function-name ${scheduleTargetArn} --payload fileb://missed.json answer.json`,
  ];
}

function instructions({ aws, deployment, cluster }: Stack, dashboard: string): readonly string[] {
  const { jarBucket, messageQueueUrl, eventBusName, ledgerBucket } = deployment;
  const message = JSON.stringify({ runJob: JOB });
  const awsCommand = `aws --endpoint-url ${aws.environment['AWS_ENDPOINT_URL'] ?? ''}`;
  return [
    '',
    'It stays up; Ctrl-C stops it',
    '',
    'See it in a browser',
    `  ${dashboard}`,
    'Drop a jar of yours; its job.yaml may lie beside it as my.jar.job.yaml',
    '  npm run -s demo -- upload my.jar [job.yaml]',
    `  ${awsCommand} s3 cp my.jar s3://${jarBucket}/my.jar`,
    'Post a message',
    `  npm run -s demo -- send '${message}'`,
    `  ${awsCommand} sqs send-message --queue-url ${messageQueueUrl} --message-body '${message}'`,
    ...scheduling(awsCommand, deployment),
    '',
    'What became of it, and what its pods say',
    '  npm run -s cli -- runs list --all',
    '  npm run -s cli -- runs show <run id>',
    '  npm run -s cli -- logs --run <run id>            with --follow while it runs',
    'By hand, as with bin/flink',
    '  npm run -s cli -- run -Dkubernetes.container.image.ref=' +
      cluster.image +
      ' local:///opt/flink/examples/streaming/WordCount.jar',
    '',
    `The aws command line, version 1 or 2, and rules of yours on the event bus ${eventBusName}, need`,
    ...Object.entries(aws.environment).map(([name, value]) => `  export ${name}=${value}`),
    'the command line of this product besides',
    `  export FLINK_DISPATCH_LEDGER=${ledgerBucket}`,
    'and that, kubectl and bin/flink',
    `  export KUBECONFIG=${cluster.kubeconfig}`,
    '',
    'Events',
  ];
}
