import { parseArgs } from 'node:util';
import { runLoad } from './load.ts';

/** `npm run load -- --runs 1000 --room 50`: prints what became of them, and one line of JSON. */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000' }, room: { type: 'string', default: '50' } },
});
const report = await runLoad({
  runs: Number(values.runs),
  room: Number(values.room),
  refuseEvery: 50,
  repeatEvery: 10,
  jobRuns: 1_000,
  patience: 60 * 60_000,
  note: (line) => process.stderr.write(`${line}\n`),
});
const { latency } = report;
process.stdout.write(`sent            ${report.sent} messages, every tenth twice
runs            ${report.records}, ${report.succeeded} succeeded
announced wrong ${report.wronglyAnnounced.length}
at once         at most ${report.mostAtOnce} clusters (room for ${values.room})
429             ${report.throttled} of Kubernetes
left            ${report.remains.length === 0 ? 'nothing' : report.remains.join(', ')}
time            ${report.seconds.toFixed(0)} s; a run ${latency.median.toFixed(0)} s median, ${latency.most.toFixed(0)} s at most
${JSON.stringify(report)}
`);
const lost = report.records !== report.sent || report.succeeded !== report.sent || report.wronglyAnnounced.length > 0;
process.exitCode = lost || report.remains.length > 0 ? 1 : 0;
