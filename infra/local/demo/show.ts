import { setTimeout as delay } from 'node:timers/promises';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { Stack } from '../stack.ts';
import { follow } from './follow.ts';
import type { Terminal } from './terminal.ts';

export const EXAMPLE_KEY = 'demo/wordcount.jar';
export const EXAMPLE_SPEC = {
  name: 'wordcount',
  job: { parallelism: 1, kind: 'batch' },
};
/** What the program prints: `(word,1)`, with the number of the subtask before it when there are several. */
const RESULT = /^(?:\d+> )?\(.+,\d+\)$/;
const SHOWN_RESULTS = 8;
const EMPTY_TIMEOUT_MS = 15_000;

/** Drops the example jar, shows its run to the end, and says whether all of it went as it should. */
export async function showRun(stack: Stack, terminal: Terminal): Promise<boolean> {
  const { jarBucket } = stack.deployment;
  terminal.line(`\n${terminal.style('bold', `A jar is dropped: s3://${jarBucket}/${EXAMPLE_KEY}`)}`);
  const from = Date.now();
  await stack.upload(stack.cluster.examples.wordCount, {
    key: EXAMPLE_KEY,
    spec: EXAMPLE_SPEC,
  });
  const first = await stack.nextEvent(
    ({ data: { request } }) => request.kind === 'jar-upload' && request.key === EXAMPLE_KEY,
  );
  await follow(stack, first.event.subject, from, terminal);
  const event = await showEvent(stack, first.event.subject, terminal);
  const printed = await showOutput(stack, event, terminal);
  const clean = await showRemains(stack, terminal);
  return event.data.state === 'succeeded' && printed && clean;
}

async function showEvent(stack: Stack, runId: string, terminal: Terminal): Promise<LifecycleEvent> {
  const { event } = await stack.nextEvent(({ subject, type }) => subject === runId && type.includes('.completed.'));
  const queue = stack.subscriber.queueUrl.split('/').at(-1) ?? '';
  terminal.line(
    `\n${terminal.style('bold', `The completion event, as it arrived at the subscriber's queue '${queue}'`)}`,
  );
  terminal.line(indent(JSON.stringify(event, undefined, 2)));
  return event;
}

/** The program's standard output is in the TaskManager's log, of which the ledger keeps the end. */
async function showOutput(stack: Stack, event: LifecycleEvent, terminal: Terminal): Promise<boolean> {
  const logs = (event.data.evidence?.items ?? []).filter(({ name }) => name.includes('taskmanager'));
  const texts = await Promise.all(logs.map(({ uri }) => stack.read(uri)));
  const results = texts.flatMap((text) => (text ?? '').split('\n')).filter((line) => RESULT.test(line));
  terminal.line(
    `\n${terminal.style('bold', "The job's own output")} ${terminal.style('dim', logs.map(({ uri }) => uri).join(' '))}`,
  );
  const hidden = results.length - SHOWN_RESULTS;
  terminal.line(indent(results.slice(-SHOWN_RESULTS).join('\n') || 'none was kept'));
  if (hidden > 0) terminal.line(terminal.style('dim', `  and ${hidden} lines before these`));
  return results.length > 0;
}

/** `of`: a look at a stream may still come, and finds that there is nothing to do. */
export async function showRemains(stack: Stack, terminal: Terminal, of: 'run' | 'stream' = 'run'): Promise<boolean> {
  terminal.line(`\n${terminal.style('bold', 'What is left')}`);
  const end = Date.now() + EMPTY_TIMEOUT_MS;
  const remains = async (): Promise<readonly string[]> =>
    (await stack.remains()).filter((what) => of === 'run' || !what.startsWith('messages in '));
  let left = await remains();
  // The last run message is deleted when its function has answered.
  while (left.length > 0 && Date.now() < end) {
    await delay(100);
    left = await remains();
  }
  if (left.length > 0) {
    terminal.line(terminal.style('red', indent(left.join('\n'))));
    return false;
  }
  const processes = stack.cluster.podsAreProcesses ? ['no process of it'] : [];
  const messages = of === 'run' ? ['no message in any queue'] : [];
  for (const line of [`no Kubernetes object of the ${of}`, ...processes, ...messages]) {
    terminal.line(`  ${terminal.style('green', '✔')} ${line}`);
  }
  return true;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
