import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ACCOUNT, REGION, startAws } from '../../../infra/local/aws/ministack.ts';
import { silent } from '../../../infra/local/progress.ts';
import { LAB } from './lab.ts';

/** Where jobs keep checkpoints and savepoints. */
export const STATE_BUCKET = 'state';

/** An S3 server on this machine, which pods reach. */
export interface Storage {
  readonly s3: S3Client;
  readonly ledgerBucket: string;
  /** Puts an example's jar of that Flink version under a name of its own; answers its `s3://` URI. */
  upload(version: string, example: string): Promise<string>;
  /** The same for a jar that somebody built. */
  uploadJar(jar: Uint8Array): Promise<string>;
  /** Options with which Flink reads and writes there: its S3 plugin of that version, and where it finds the server. */
  stateOptions(version: string): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startStorage(): Promise<Storage> {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-s3-'));
  const server = await startAws({ python: 'python3', folder, host: addressForPods(), progress: silent });
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
  // A URL by which pods may upload is signed without the checksum of what is not there yet.
  const requestChecksumCalculation = 'WHEN_REQUIRED';
  const at = { endpoint: server.url, region: REGION, forcePathStyle: true, credentials };
  const s3 = new S3Client({ ...at, requestChecksumCalculation });
  const [uploads, ledgerBucket] = ['uploads', 'ledger'];
  for (const Bucket of [uploads, ledgerBucket, STATE_BUCKET]) await s3.send(new CreateBucketCommand({ Bucket }));
  const uploadJar = async (Body: Uint8Array): Promise<string> => {
    const key = `jobs/uploaded-${randomBytes(4).toString('hex')}.jar`;
    await s3.send(new PutObjectCommand({ Bucket: uploads, Key: key, Body }));
    return `s3://${uploads}/${key}`;
  };
  return {
    s3,
    ledgerBucket,
    uploadJar,
    upload: async (version, example) =>
      uploadJar(await readFile(join(LAB, 'flink', version, 'usrlib', `${example}.jar`))),
    stateOptions: (version) => flinkS3Options(version, server.url),
    async stop() {
      s3.destroy();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Options with which Flink reads and writes at that server. */
export function flinkS3Options(version: string, endpoint: string): Readonly<Record<string, string>> {
  const plugin = `flink-s3-fs-hadoop-${version}.jar`;
  return {
    'containerized.master.env.ENABLE_BUILT_IN_PLUGINS': plugin,
    'containerized.taskmanager.env.ENABLE_BUILT_IN_PLUGINS': plugin,
    's3.endpoint': endpoint,
    // Flink's own client cannot write `s3.endpoint.region` beside `s3.endpoint`: in YAML one would be both text and map.
    'fs.s3a.endpoint.region': REGION,
    's3.path.style.access': 'true',
    's3.access-key': ACCOUNT,
    's3.secret-key': 'local',
  };
}

/** Of the lab's node (test/cluster/lab/enter), else of this machine's network. */
function addressForPods(): string {
  const outside = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const found =
    process.env['NODE_IP'] ?? outside.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  if (found === undefined) throw new Error('set NODE_IP to an address of this machine that pods reach');
  return found;
}
