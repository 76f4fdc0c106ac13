import { parseArgs } from 'node:util';
import { silent } from '../../infra/local/progress.ts';
import type { Verdict } from './judge.ts';
import { runLoad } from './load.ts';

/**
 * `npm run load`: many messages at once through the deployed functions, on a local AWS and a local Kubernetes that are
 * both throttled, with a quota that has room for a few clusters. Ends with one line of JSON; fails when a run was lost,
 * doubled, failed, starved or left something.
 *
 *   --messages N    sent at once, every tenth of them twice; default 1000
 *   --quota N       Deployments that the namespace's ResourceQuota admits; default 50, at most 240
 *   --throttled P   the largest percentage of requests that is refused at a time; default 15
 *   --seed N        decides what is refused when; default 1
 *   --minutes N     patience; default 60
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000' },
    quota: { type: 'string', default: '50' },
    throttled: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
});
const verdict = await runLoad({
  messages: Number(values.messages),
  quota: Number(values.quota),
  throttled: Number(values.throttled) / 100,
  seed: Number(values.seed),
  patience: Number(values.minutes) * 60_000,
  repeatEvery: 10,
  jobs: [1_000, 5_000],
  progress: silent,
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${table(verdict)}\n${JSON.stringify({ load: verdict })}\n`);
process.exitCode = verdict.faults.length === 0 ? 0 : 1;

function table(of: Verdict): string {
  const { wait, told, throttled } = of;
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const rows: [string, string][] = [
    ['messages', `${of.messages} at once, every tenth twice`],
    ['runs', `${of.runs}, ${of.succeeded} succeeded`],
    ['announced', `each once, but ${of.notAnnouncedOnce.length}; ${of.deliveredAgain} events came again with their id`],
    ['began', `each program once, but ${of.notBegunOnce.length}`],
    ['at once', `at most ${of.mostAtOnce} clusters, the quota admits ${of.quota}`],
    ['no room', `${of.waitedForRoom} runs, up to ${of.mostAsks} times each; none failed of it`],
    ['until begun', `${seconds(wait.median)} median, ${seconds(wait.p99)} p99, ${seconds(wait.longest)} at most`],
    ['end until told', `${seconds(told.median)} median, ${seconds(told.p99)} p99, ${seconds(told.longest)} at most`],
    ['starved', `${of.starved.length} (longer than ${seconds(wait.bound)}: twice the median and two pauses)`],
    ...Object.entries(throttled).map(([what, { asked, refused }]): [string, string] => [
      `  ${what}`,
      `${refused} of ${asked} throttled`,
    ]),
    ['left', of.left.length === 0 ? 'nothing' : of.left.join(', ')],
    ['time', `${seconds(of.seconds)}, ${of.runsPerSecond.toFixed(1)} runs/s`],
    ['faults', of.faults.length === 0 ? 'none' : of.faults.join('; ')],
  ];
  return rows.map(([name, text]) => `${name.padEnd(24)}${text}`).join('\n');
}
