import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SendMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { apiPath, type KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import { isEnded } from '../../lib/run/machine.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { isLab, kubectl, LAB } from '../cluster/support/lab.ts';
import { openTenant, type Tenant } from '../cluster/support/tenant.ts';
import { apiOfKubeconfig, must } from '../contract/support/kubernetes.ts';
import { buildCounters } from '../counter/counter.ts';
import { startWitness as startCounterWitness } from '../counter/witness.ts';
import { Draws } from '../prove/draws.ts';
import { holderIn } from '../prove/locks/invariants.ts';
import { watchCluster, type ClusterWatch } from './cluster-watch.ts';
import { deploy, QUEUES, type Deployment } from './deployment.ts';
import { Faults, type Rates, type Restartable } from './faults.ts';
import { mapEvents } from './functions.ts';
import { insist } from './insist.ts';
import { judge, type Judgement } from './judge.ts';
import { Ledger } from './ledger.ts';
import { labProgram, startQueues, startStorage, type Server } from './servers.ts';
import { judgeStream } from './streams/judge-streams.ts';
import { ChaosStream } from './streams/stream.ts';
import { Strikes, type Coverage } from './streams/strikes.ts';
import { consume, deliveriesIn, letterIn, type DeploymentDelivery, type Letter } from './subscriber.ts';
import { isOf, Users } from './users.ts';
import { wishesFor, type Wish } from './wishes.ts';
import { buildWitness, startWitness, type Witness } from './witness.ts';

export interface ChaosOptions {
  readonly runs: number;
  /** Beside them, and how often each is upgraded. */
  readonly streams: number;
  readonly upgrades: number;
  /** Of the effects of upgrades, those before and after which the function that has them is killed: 0 to 1. */
  readonly strikes: number;
  readonly seed: number;
  readonly versions: readonly string[];
  /** Where servers listen: pods reach it. */
  readonly host: string;
  readonly rates: Rates;
  /** Clusters that the namespace's quota admits at once, and requests that are on their way at once. */
  readonly clusters: number;
  readonly abreast: number;
  /** Milliseconds: how long runs are begun, and in which all has to come to its end. */
  readonly askFor: number;
  readonly limit: number;
  readonly note: (line: string) => void;
}

export interface ChaosReport extends Judgement {
  readonly runs: number;
  /** Of streams: jobs that took another one's place and counted. */
  readonly upgrades: number;
  /** Functions killed before or after an effect of an upgrade. */
  readonly struck: number;
  readonly coverage: readonly Coverage[];
  readonly requests: number;
  readonly counts: Faults['counts'];
  readonly deliveries: number;
  readonly redriven: number;
  /** What is left of all of it, where nothing should be. */
  readonly leftOver: readonly string[];
  readonly seconds: number;
}

/** How long messages that nobody needs any more take to come back, and to be done with. */
const QUIET_MS = 120_000;

const MESSAGE_COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** Plays it once, from an empty place to an empty place. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-chaos-'));
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const world = await openWorld(options, folder, undo);
    return await play(world, options);
  } finally {
    for (const step of undo.reverse()) await step().catch((error: unknown) => options.note(String(error)));
    if (process.env['CHAOS_KEEP'] === undefined) await rm(folder, { recursive: true, force: true });
    else options.note(folder);
  }
}

interface World {
  readonly admin: KubernetesApi;
  readonly tenant: Tenant;
  readonly deployment: Deployment;
  readonly restartable: readonly Restartable[];
  readonly witness: Witness;
  readonly watch: ClusterWatch;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly users: Users;
  readonly draws: Draws;
  readonly strikes: Strikes;
  readonly streams: readonly ChaosStream[];
}

async function openWorld(options: ChaosOptions, folder: string, undo: (() => Promise<unknown>)[]): Promise<World> {
  const { host, versions, seed, rates, clusters } = options;
  const admin = await apiOfKubeconfig();
  await kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=120s');
  const tenant = await openTenant(admin);
  undo.push(() => insist(() => tenant.remove()));
  // A stream whose next run is prepared has two.
  await limitClusters(admin, tenant, clusters + 2 * options.streams);
  const watch = await watchCluster(admin, tenant.namespace);
  undo.push(() => watch.stop());
  const witness = await startWitness(host);
  undo.push(() => witness.stop());
  const started = (server: Server): Server => {
    undo.push(() => server.kill());
    return server;
  };
  const queues = started(await startQueues(folder, host));
  const storage = started(await startStorage(folder, host));
  const draws = new Draws(seed);
  const faults = new Faults(draws, rates);
  const strikes = new Strikes(folder, options.streams === 0 ? 0 : options.strikes);
  const deployment = await deploy({ folder, queues, storage, tenant, versions, faults, strikes });
  undo.push(() => deployment.stop());
  const jars = new Map<string, string>();
  for (const version of versions) jars.set(version, await buildWitness(version, folder));
  const users = new Users({ deployment, witnessUrl: witness.url, jars, draws });
  const apiServer = labProgram('apiserver');
  const restartable: Restartable[] = [
    { server: storage, every: 20_000, down: 1_500 },
    { server: queues, every: 25_000, down: 1_500 },
    // Its controllers need longer than the server itself to be back at work.
    ...(isLab() ? [{ server: apiServer, every: 120_000, down: 3_000 }] : []),
  ];
  const ledger = new Ledger(deployment);
  const opened = { admin, tenant, deployment, restartable, witness, watch, ledger, faults, strikes, users, draws };
  return { ...opened, streams: await openStreams(opened, storage, options, undo) };
}

async function openStreams(
  { deployment, ledger, tenant, draws, strikes }: Omit<World, 'streams'>,
  storage: Server,
  { streams, upgrades, versions, host, note }: ChaosOptions,
  undo: (() => Promise<unknown>)[],
): Promise<readonly ChaosStream[]> {
  if (streams === 0) return [];
  const jars = await buildCounters(join(LAB, 'flink', versions.toReversed()[0] ?? ''), ['first', 'changed']);
  const around = { deployment, ledger, namespace: tenant.namespace, storageUrl: storage.url, jars, draws, note };
  const open = async (index: number): Promise<ChaosStream> => {
    const witness = await startCounterWitness(host);
    undo.push(() => witness.stop());
    const version = versions[index % versions.length] ?? '';
    const stream = new ChaosStream({ index, name: `s${index + 1}-counter`, version, upgrades }, { ...around, witness });
    strikes.aimAt(stream);
    return stream;
  };
  return Promise.all(Array.from({ length: streams }, (_, index) => open(index)));
}

async function limitClusters(admin: KubernetesApi, { namespace }: Tenant, clusters: number): Promise<void> {
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'resourcequotas');
  const hard = { 'count/deployments.apps': String(clusters) };
  await must(admin, { method: 'POST', path, body: { metadata: { name: 'clusters' }, spec: { hard } } });
}

async function play(world: World, options: ChaosOptions): Promise<ChaosReport> {
  const { deployment, faults, draws } = world;
  const began = Date.now();
  const stop = new AbortController();
  const events: Message[] = [];
  const letters: Letter[] = [];
  const background = [
    ...runFunctions(deployment, stop.signal),
    consume(deployment, 'subscriber', stop.signal, (message) => void events.push(message)),
    ...letterQueues().map((queue) =>
      consume(deployment, queue, stop.signal, (message) => void letters.push(letterIn(queue, message))),
    ),
  ];
  try {
    const restarts = faults.restart(world.restartable);
    const asking = askAndWait(wishesFor(options.runs, draws, options.versions), world, options);
    const living = world.streams.map((stream) => stream.live(began + options.limit));
    // Whatever becomes of it, no server stays away.
    const [{ wishes, late }] = await Promise.all([asking, ...living]).finally(() => {
      faults.stop();
      world.strikes.stop();
      return restarts;
    });
    const redriven = await redrive(letters, world);
    const leftOver = await quiet(world, Date.now() + QUIET_MS);
    const { deliveries, ofStreams } = deliveriesIn(events);
    const records = await world.ledger.records();
    const { watch, witness } = world;
    const { testimonies } = witness;
    const judgement = judge({
      ...{ wishes, records, deliveries, letters, watch, testimonies },
      streams: world.streams.map(({ plan }) => plan.name),
    });
    const streams = judgeStreams(world.streams, await world.ledger.deployments(), records, ofStreams);
    return {
      ...judgement,
      spoilt: [...judgement.spoilt, ...streams.spoilt],
      violations: [...late, ...judgement.violations, ...streams.violations],
      upgrades: streams.upgrades,
      ...{ struck: world.strikes.struck.length, coverage: world.strikes.coverage },
      ...{ runs: records.length, requests: wishes.reduce((sum, { times }) => sum + times, 0) },
      ...{ counts: faults.counts, deliveries: events.length, redriven, leftOver },
      seconds: Math.round((Date.now() - began) / 1000),
    };
  } finally {
    stop.abort();
    await Promise.all(background);
  }
}

function judgeStreams(
  streams: readonly ChaosStream[],
  deployments: readonly DeploymentRecord[],
  records: readonly RunRecord[],
  deliveries: readonly DeploymentDelivery[],
): { readonly violations: readonly string[]; readonly spoilt: readonly string[]; readonly upgrades: number } {
  const violations: string[] = [];
  const spoilt: string[] = [];
  let upgrades = 0;
  for (const { plan, id, late, spoilt: own, witness } of streams) {
    const { account } = witness;
    upgrades += Math.max(0, new Set(account.lives.map(({ job }) => job)).size - 1);
    const record = deployments.find((one) => one.id === id);
    const evidence = { ...plan, record, records, deliveries, account, isWhole: late.length === 0 };
    violations.push(...late);
    spoilt.push(...own, ...judgeStream(evidence, (holds, what) => void (holds || violations.push(what))));
  }
  return { violations, spoilt, upgrades };
}

/** The event source mappings, and the sweeper's schedule. */
function runFunctions({ sqs, queueUrl, queueArn, functions }: Deployment, signal: AbortSignal): Promise<void>[] {
  const source = (queue: string, batchSize: number, concurrency: number) =>
    ({ sqs, queueUrl: queueUrl(queue), queueArn: queueArn(queue), batchSize, concurrency }) as const;
  const sweeps = async (): Promise<void> => {
    while (!signal.aborted) {
      await Promise.all([
        functions['sweep-runs'].invoke({}).catch(() => undefined),
        sleep(10_000, undefined, { signal }).catch(() => undefined),
      ]);
    }
  };
  return [
    mapEvents(functions['on-message'], source('messages', 5, 1), signal),
    mapEvents(functions['on-jar-upload'], source('jar-uploads', 5, 1), signal),
    mapEvents(functions['advance-run'], source('runs', 3, 5), signal),
    sweeps(),
  ];
}

interface Asked {
  readonly wishes: readonly Wish[];
  /** What has not come to its end when the time was over. */
  readonly late: readonly string[];
}

/** Some on their way at any time, until all have come to their end. After `askFor` only what others wait for is begun. */
async function askAndWait(wishes: readonly Wish[], world: World, options: ChaosOptions): Promise<Asked> {
  const { users, ledger } = world;
  const asked: Wish[] = [];
  const asking: Promise<void>[] = [];
  const canceled = new Set<string>();
  const waiting = [...wishes];
  const [enough, end] = [Date.now() + options.askFor, Date.now() + options.limit];
  for (let ticks = 0; ; ticks += 1) {
    const records = await ledger.records();
    await cancelSome(asked, records, users, canceled);
    const open = asked.filter((wish) => !isOver(wish, records));
    const full = open.length >= options.abreast || Date.now() > enough;
    const next = waiting.findIndex((wish) => mayBegin(wish, asked, records, full));
    const wish = next < 0 ? undefined : waiting.splice(next, 1)[0];
    if (wish !== undefined) {
      asked.push(wish);
      asking.push(users.ask(wish));
      continue;
    }
    if (ticks % 30 === 0) options.note(progress(records, wishes, open));
    const over = open.length === 0 && (waiting.length === 0 || Date.now() > enough);
    if (over || Date.now() > end) {
      await Promise.all(asking);
      return { wishes: asked, late: open.map((one) => `not over in time: ${describe(one, records)}`) };
    }
    await sleep(1_000);
  }
}

function progress(records: readonly RunRecord[], wishes: readonly Wish[], open: readonly Wish[]): string {
  const closed = records.filter(({ state }) => state === 'closed').length;
  const states = open.map((wish) => records.find(({ source }) => isOf(wish, source))?.state ?? 'asked');
  return `${new Date().toISOString()} ${closed} closed of ${wishes.length}; open: ${states.join(' ')}`;
}

function describe(wish: Wish, records: readonly RunRecord[]): string {
  const record = records.find(({ source }) => isOf(wish, source));
  const why = record?.stepError?.message ?? record?.waiting?.message ?? '';
  return `${wish.name} ${record?.state ?? 'not accepted'} ${why}`;
}

function isOver(wish: Wish, records: readonly RunRecord[]): boolean {
  const own = records.filter(({ source }) => isOf(wish, source));
  const expected = wish.ends.length === 0 ? 0 : wish.conflict === true ? 2 : 1;
  return own.length >= expected && own.every(({ state }) => state === 'closed');
}

/** What another run waits for begins also when there are enough. */
function mayBegin({ after }: Wish, asked: readonly Wish[], records: readonly RunRecord[], full: boolean): boolean {
  if (after === undefined) return !full;
  if (full && !asked.some(({ name }) => name === after.name)) return false;
  const first = records.find(({ name }) => name === after.name);
  return first !== undefined && (first.state === after.state || isEnded(first.state));
}

/** Once each, when its run has come so far. */
async function cancelSome(
  wishes: readonly Wish[],
  records: readonly RunRecord[],
  users: Users,
  done: Set<string>,
): Promise<void> {
  for (const wish of wishes) {
    const record = records.find(({ source }) => isOf(wish, source));
    if (wish.cancelWhen === undefined || record === undefined || done.has(wish.name)) continue;
    const far = ['starting', 'running'].includes(record.state) || record.state === wish.cancelWhen;
    if (!far || (wish.cancelWhen === 'running' && record.state !== 'running')) continue;
    done.add(wish.name);
    await users.cancel(record.runId);
  }
}

/** Whose messages are for people. */
function letterQueues(): readonly string[] {
  return QUEUES.filter((name) => name.endsWith('-failed') || name === 'dead-letters');
}

/** As the runbook says: what functions could not take, because they were killed each time, is given to them again. */
async function redrive(letters: readonly Letter[], { deployment }: World): Promise<number> {
  const { sqs, queueUrl, functions } = deployment;
  let count = 0;
  for (const { queue, body } of letters) {
    const source = queue.replace('-failed', '');
    if (queue === 'schedules-failed') await functions['on-schedule'].invoke(JSON.parse(body) as object);
    else if (queue === 'messages-failed' || queue === 'jar-uploads-failed') {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(source), MessageBody: body }));
    } else continue;
    count += 1;
  }
  return count;
}

/** Waits until nothing is left. Answers what is, when the time is over. */
async function quiet(world: World, end: number): Promise<readonly string[]> {
  for (;;) {
    const left = await remains(world);
    if (left.length === 0 || Date.now() > end) return left;
    await sleep(1_000);
  }
}

async function remains({ admin, tenant, deployment, ledger }: World): Promise<readonly string[]> {
  const left: string[] = [];
  const { namespace } = tenant;
  const lists = [
    ...['pods', 'services', 'configmaps'].map((kind) => apiPath('api', 'v1', 'namespaces', namespace, kind)),
    ...['deployments', 'replicasets'].map((kind) => apiPath('apis', 'apps', 'v1', 'namespaces', namespace, kind)),
  ];
  for (const path of lists) {
    const { body } = await insist(() => admin.request({ method: 'GET', path }));
    const { items = [] } = body as { items?: readonly { metadata: { name: string } }[] };
    const names = items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
    left.push(...names.map((name) => `${path.split('/').at(-1) ?? ''}/${name}`));
  }
  left.push(...(await ledger.keys('live/')));
  for (const key of await ledger.keys('locks/')) {
    const text = await ledger.text(key);
    if (holderIn(text) !== undefined) left.push(`${key}: ${text}`);
  }
  left.push(...(await waitingMessages(deployment)));
  const open = (await ledger.records()).filter(({ state }) => state !== 'closed');
  return [...left, ...open.map(({ name, state }) => `run ${name} is ${state}`)];
}

async function waitingMessages({ sqs, queueUrl }: Deployment): Promise<readonly string[]> {
  const counts = await Promise.all(
    QUEUES.map(async (queue) => {
      const want = new GetQueueAttributesCommand({ QueueUrl: queueUrl(queue), AttributeNames: [...MESSAGE_COUNTS] });
      const { Attributes = {} } = await insist(() => sqs.send(want));
      const numbers = MESSAGE_COUNTS.map((name) => Number(Attributes[name] ?? 0));
      return { queue, number: numbers.reduce((sum, number) => sum + number, 0) };
    }),
  );
  return counts.filter(({ number }) => number > 0).map(({ queue, number }) => `${number} messages in ${queue}`);
}
