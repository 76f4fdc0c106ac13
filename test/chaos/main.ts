// Functions under AWS' runtime client, on servers of the AWS protocols and a real Kubernetes with real Flink, all of which
// are killed while they work; then what must hold is judged from the outside.
// usage: test/cluster/lab/enter npm run chaos -- [--runs N] [--streams N] [--upgrades N] [--strikes P] [--seed S] [--clusters N] [--minutes N]
// --streams: that count, and are upgraded --upgrades times each, beside the runs.
// --strikes: of the effects of upgrades, those before and after which the function is killed, from 0 to 1 (all).
// --minutes: begins no more runs after that time, and waits for the end of those that it has begun.
import { parseArgs } from 'node:util';
import { FLINK_VERSIONS } from '../cluster/support/lab.ts';
import { runChaos } from './chaos.ts';
import { jsonLine, table } from './report.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    streams: { type: 'string', default: '2' },
    upgrades: { type: 'string', default: '4' },
    strikes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    clusters: { type: 'string', default: '5' },
    minutes: { type: 'string', default: 'Infinity' },
  },
});
const [runs, seed, clusters] = [Number(values.runs), Number(values.seed), Number(values.clusters)];
const [streams, upgrades] = [Number(values.streams), Number(values.upgrades)];
const host = process.env['NODE_IP'];
if (host === undefined) throw new Error('run it inside the network of the lab: test/cluster/lab/enter npm run chaos');

const report = await runChaos({
  ...{ runs, streams, upgrades, strikes: Number(values.strikes), seed, host, clusters, versions: FLINK_VERSIONS },
  rates: { kill: 0.2, freeze: 0.02, duplicate: 0.05 },
  abreast: clusters * 3,
  askFor: Number(values.minutes) * 60_000,
  limit: 5 * 60_000 + runs * 30_000 + (streams === 0 ? 0 : (upgrades + 2) * 300_000),
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${table(report)}\n${jsonLine(report, seed)}\n`);
process.exitCode = report.violations.length + report.leftOver.length > 0 ? 1 : 0;
