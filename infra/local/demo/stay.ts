import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { Stack } from '../stack.ts';
import { announceSession } from './session.ts';
import { EXAMPLE_KEY, EXAMPLE_SPEC } from './show.ts';
import { seconds, type Terminal } from './terminal.ts';

const JOB = 'scheduled-wordcount';
const PERIOD_MINUTES = 5;
const FOREVER_MS = 2 ** 31 - 1;

/** Keeps the stack up until a signal ends this process, and shows every event. */
export async function stay(stack: Stack, terminal: Terminal): Promise<never> {
  const { jarBucket } = stack.deployment;
  const jarURI = `s3://${jarBucket}/${EXAMPLE_KEY}`;
  await stack.storeJob(JOB, { ...EXAMPLE_SPEC, name: JOB, job: { ...EXAMPLE_SPEC.job, jarURI } });
  await stack.schedule({
    name: JOB,
    expression: `rate(${PERIOD_MINUTES} minutes)`,
    input: { job: JOB, schedule: '<aws.scheduler.schedule-arn>', scheduledTime: '<aws.scheduler.scheduled-time>' },
  });
  await announceSession(stack);
  for (const line of instructions(stack))
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

function instructions({ aws, deployment, cluster }: Stack): readonly string[] {
  const { jarBucket, messageQueueUrl, eventBusName } = deployment;
  const message = JSON.stringify({ runJob: JOB });
  return [
    '',
    'It stays up; Ctrl-C stops it',
    '',
    'Drop a jar of yours; its job.yaml may lie beside it as my.jar.job.yaml',
    '  npm run -s demo -- upload my.jar [job.yaml]',
    `  aws s3 cp my.jar s3://${jarBucket}/my.jar`,
    'Post a message',
    `  npm run -s demo -- send '${message}'`,
    `  aws sqs send-message --queue-url ${messageQueueUrl} --message-body '${message}'`,
    `Or wait for the schedule: it runs ${JOB} every ${PERIOD_MINUTES} minutes`,
    '',
    `The aws command line, and rules of yours on the event bus ${eventBusName}, need`,
    ...Object.entries(aws.environment).map(([name, value]) => `  export ${name}=${value}`),
    'kubectl and bin/flink need',
    `  export KUBECONFIG=${cluster.kubeconfig}`,
    '',
    'Events',
  ];
}
