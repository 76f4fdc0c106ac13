import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../progress.ts';
import { startGroup } from '../process.ts';
import { installPython } from '../python.ts';

const HERE = import.meta.dirname;
const VERSION = '1.5.33';
const START_TIMEOUT_MS = 30_000;

/** The account that requests signed with it belong to. */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

export interface AwsServer {
  /** Takes every service's requests: AWS_ENDPOINT_URL. */
  readonly url: string;
  /** What the AWS SDKs and command line tools need to talk to it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  stop(): Promise<void>;
}

export interface AwsServerOptions {
  /** Python 3 with venv. */
  readonly python: string;
  /** Gets all that the server writes. The caller removes it; the server does when the caller is killed. */
  readonly folder: string;
  /** The address to listen on; pods have to reach it. */
  readonly host: string;
  readonly progress: Progress;
}

/** Starts ministack, a server of the AWS protocols, on a free port; installs it first where it is not there yet. */
export async function startAws(options: AwsServerOptions): Promise<AwsServer> {
  const python = await installMinistack(options);
  const port = await freePort(options.host);
  const url = `http://${options.host}:${port}`;
  const logFile = join(options.folder, 'ministack.log');
  const environment = clientEnvironment(url);
  const group = await startGroup(python, [join(HERE, 'server.py'), options.folder], {
    folder: options.folder,
    logFile,
    environment: { ...hostEnvironment(), ...environment, ...serverEnvironment(options, port) },
  });
  try {
    await ready(url, group.exited, logFile);
  } catch (error) {
    await group.stop();
    throw error;
  }
  // It has nothing to keep, so there is nothing to wait for.
  return { url, environment, logFile, stop: () => group.stop(200) };
}

/** Answers the Python of its virtual environment. */
export function installMinistack({ python, progress }: Pick<AwsServerOptions, 'python' | 'progress'>): Promise<string> {
  const requirements = join(HERE, 'requirements.txt');
  return installPython({ python, name: `ministack-${VERSION}`, requirements, size: '20 MB', progress });
}

export function clientEnvironment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
  };
}

/** The caller's own, without what would lead a function to a real account. */
export function hostEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
}

function serverEnvironment({ folder, host }: AwsServerOptions, port: number): Record<string, string> {
  return {
    GATEWAY_PORT: String(port),
    BIND_HOST: host,
    // The host of the queue URLs that it gives out.
    MINISTACK_HOST: host,
    // Its MQTT listener would listen on all addresses.
    IOT_MTLS_ENABLED: '0',
    TMPDIR: folder,
    STATE_DIR: join(folder, 'state'),
    S3_DATA_DIR: join(folder, 's3'),
    // Functions run on the Node that runs this.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    NODE_OPTIONS: '',
  };
}

async function ready(url: string, exited: Promise<string>, logFile: string): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  let ended: string | undefined;
  void exited.then((how) => (ended = how));
  while (Date.now() < end && ended === undefined) {
    const answer = await fetch(`${url}/_ministack/ready`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(25);
  }
  throw new Error(`ministack did not start (${ended ?? 'no answer'}): see ${logFile}`);
}

/** One that nobody listens on now. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
