import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import { startAws, type AwsServer } from '../../infra/local/aws/ministack.ts';
import { subscribe, type Subscriber } from '../../infra/local/aws/subscriber.ts';
import { openCluster, type LocalCluster } from '../../infra/local/cluster.ts';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { examplePath } from '../examples.ts';
import { npmPackage } from '../npm-package.ts';
import { standing } from './standing.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '') process.stderr.write(`SKIPPED: what a new user does is not tested: it needs ${lacking}\n`);

const STACK = 'flink-dispatch-mine';

/** From the packed npm package alone, in an empty folder: no clone, no registry, and of AWS no more than credentials. */
describe.skipIf(lacking !== '')('a new user', () => {
  let folder: string;
  let home: string;
  let tarball: string;
  let aws: AwsServer;
  let cluster: LocalCluster;
  let subscriber: Subscriber | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'new-user-'));
    home = join(folder, 'home');
    mkdirSync(home);
    tarball = npmPackage(folder);
    cluster = await openCluster(undefined, { folder, progress: silent });
    aws = await startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent });
  });
  afterAll(async () => {
    await subscriber?.stop();
    await aws.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Of a machine that has Node. */
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: `${join(process.execPath, '..')}:/usr/bin:/bin`,
    HOME: home,
    KUBECONFIG: cluster.kubeconfig,
    FLINK_DISPATCH_STACK: STACK,
    ...aws.environment,
  });

  function run(...argv: readonly string[]): Promise<string> {
    const program = join(home, 'npm', 'bin', 'flink-dispatch');
    return new Promise((resolve, reject) => {
      execFile(program, argv, { cwd: home, env: environment() }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(new Error(`flink-dispatch ${argv.join(' ')}: ${stdout}${stderr}`));
      });
    });
  }

  it('installs the package', async () => {
    const argv = ['install', '--silent', '--offline', '--global', '--prefix', join(home, 'npm'), tarball];
    execFileSync('npm', argv, { cwd: home, env: environment() });
    expect(await run('--version')).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('writes a configuration and deploys', async () => {
    const account = ['--namespace', cluster.namespace, '--service-account', 'default', '--image', cluster.image];
    expect(await run('init', '--yes', ...account)).toContain('next: flink-dispatch deploy');
    expect(readFileSync(join(home, 'dispatch.yml'), 'utf8')).toContain(`image: ${cluster.image}`);
    expect(await run('deploy', '--yes')).toContain(`s3://${STACK}-jars-000000000000`);
    expect(await run('doctor')).toMatch(/default +connection +ok/);
  });

  it('drops a jar and gets its event', async () => {
    subscriber = await subscribe(aws, STACK, 'listener');
    const s3 = new S3Client({ ...clientConfig(aws), forcePathStyle: true });
    const Body = readFileSync(cluster.examples.orderTotals);
    await s3.send(new PutObjectCommand({ Bucket: `${STACK}-jars-000000000000`, Key: 'order-totals.jar', Body }));
    const { event } = await subscriber.next(({ type }) => type === 'io.flink-dispatch.run.completed.v1', 200_000);
    expect(event.data).toMatchObject({ name: 'order-totals', state: 'succeeded', accumulators: { orders: '1000' } });
    await expect.poll(() => run('runs', 'list'), { timeout: 60_000, interval: 500 }).toMatch(/order-totals.*succeeded/);
  });

  it('uploads the jar of the examples with its spec, and waits for it', async () => {
    const spec = examplePath('jar-upload/order-totals.job.yaml');
    const told = await run('runs', 'start', '--jar', cluster.examples.orderTotals, '-f', spec, '--wait', '--json');
    expect(told).toMatch(/"state": ?"succeeded"/);
  });

  it('makes the schedule of the examples, and runs the days that it has missed', { timeout: 600_000 }, async () => {
    await run('jobs', 'put', 'nightly', '-f', examplePath('schedule/nightly.yaml'));
    const cron = ['--cron', '0 5 * * ? *', '--zone', 'Europe/Berlin'];
    await run('schedules', 'create', 'nightly', '--job', 'nightly', ...cron);
    await run('backfill', 'nightly', '--from', '2026-11-01', '--to', '2026-11-02', '--at-most', '2');
    // It asks for the last ones, and does not wait for their end.
    const ended = async (): Promise<number | undefined> =>
      (await run('runs', 'list', '--tag', 'backfill-nightly')).match(/nightly.*succeeded/g)?.length;
    await expect.poll(ended, { timeout: 500_000, interval: 1000 }).toBe(2);
  });

  it('takes all away but the data', async () => {
    const gone = (): Promise<string> => run('uninstall', '--yes').catch(String);
    // The run is live until its cluster is proven gone.
    await expect.poll(gone, { timeout: 180_000, interval: 500 }).toContain(`${STACK} is gone`);
    const { queues = [], ...others } = await standing(aws);
    expect(others).toMatchObject({ stacks: [], buses: [], groups: [] });
    expect(queues.filter((url) => url.includes(STACK))).toEqual([]);
    expect(await cluster.remains([])).toEqual([]);
    const config = { ...clientConfig(aws), forcePathStyle: true };
    const kept = await new S3Client(config).send(
      new ListObjectsV2Command({ Bucket: `${STACK}-ledger-000000000000`, Prefix: 'runs/' }),
    );
    expect(kept.Contents?.some(({ Key }) => Key?.endsWith('/record.json'))).toBe(true);
  });
});
