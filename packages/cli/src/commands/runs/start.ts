import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../../../../lib/core/aws-error.ts';
import { pathStyle } from '../../../../../lib/http/path-style.ts';
import { defined } from '../../../../../lib/core/defined.ts';
import { describeError, DispatchError } from '../../../../../lib/core/errors.ts';
import { parseObjectText } from '../../../../../lib/core/yaml.ts';
import { parseManifestOrSpec } from '../../../../../lib/job/spec/manifest.ts';
import type { RunRecord } from '../../../../../lib/run/record.ts';
import { isProgramFile, PROGRAM_ENDINGS } from '../../../../../lib/trigger/program-file.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { readTextFile } from '../../flags/conf-dir.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger, type LedgerReader } from '../../ledger.ts';
import { requirePart } from '../../stack.ts';
import { printJson, type Io } from '../../terminal/io.ts';
import { sendMessage } from './send-message.ts';
import { EXIT_CODES, waitFor } from './wait.ts';

/** Functions accept a request within seconds, and after a cold start. */
const PATIENCE = 60_000;
const EVERY = 1_000;
/** Clocks differ by less. */
const SKEW = 5 * 60_000;

/** Whether a run is the one that was asked for. */
type Mine = (source: RunRecord['source']) => boolean;

/** Asks for a run, by a message or an upload, and names it. */
export const start: Execute = async (io, parsed) => {
  const [file, job, jar] = [valueOf(parsed, 'file'), valueOf(parsed, 'job'), valueOf(parsed, 'jar')];
  if (parsed.args.length > 0) throw new UsageError('runs start takes no arguments: args of the program are job.args');
  if (file === undefined && job === undefined && jar === undefined) {
    throw new UsageError('what is to run? Give -f spec.yaml, --job <stored job>, or --jar <file>');
  }
  if (jar !== undefined && job !== undefined)
    throw new UsageError('--job and --jar: a stored job names its jar itself');
  const spec = file === undefined ? undefined : specIn(file);
  const ledger = await openLedger(io, parsed);
  const since = io.clock.now() - SKEW;
  const mine = jar === undefined ? await send({ job, spec }, io, parsed) : await upload(jar, file, io, parsed);
  const run = await runOf(mine, since, ledger, io);
  if (has(parsed, 'wait')) return waitFor(run.runId, ledger, io, parsed);
  if (has(parsed, 'json')) printJson(io, { runId: run.runId, name: run.name, state: run.state });
  else io.out(`${run.runId}\n`);
  if (run.outcome?.state !== 'rejected') return 0;
  const { reason, message } = run.outcome;
  if (!has(parsed, 'json')) io.err(`rejected: ${reason}: ${message}\n`);
  return EXIT_CODES.rejected;
};

/** What is wrong with it is said before anything is sent. */
function specIn(file: string): Record<string, unknown> {
  const document = parseObjectText(readTextFile(file, '-f'), `-f ${file}: the file`);
  parseManifestOrSpec(document);
  return document;
}

async function send(
  { job, spec }: { readonly job: string | undefined; readonly spec: Record<string, unknown> | undefined },
  io: Io,
  parsed: ParsedFlags,
): Promise<Mine> {
  const queueUrl = await requirePart(io, parsed, 'messageQueue');
  const idempotencyKey = valueOf(parsed, 'key') ?? randomUUID();
  const body = { ...defined({ runJob: job, spec }), idempotencyKey };
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
  await sendMessage(sqs, queueUrl, body, { group: job ?? 'flink-dispatch', once: idempotencyKey });
  return (source) => source.kind === 'message' && source.idempotencyKey === idempotencyKey;
}

/** The spec first: the jar's event is what starts the run. */
async function upload(jar: string, file: string | undefined, io: Io, parsed: ParsedFlags): Promise<Mine> {
  const bucket = await requirePart(io, parsed, 'jars');
  if (!isProgramFile(jar))
    throw new UsageError(`--jar ${jar}: only names that end with ${PROGRAM_ENDINGS.join(', ')} start runs`);
  const content = await readFile(jar).catch((error: unknown) => {
    throw new UsageError(`--jar ${jar} cannot be read: ${describeError(error)}`);
  });
  const key = (valueOf(parsed, 'prefix') ?? '') + basename(jar);
  const s3 = new S3Client(pathStyle(io.env));
  try {
    if (file !== undefined) {
      const sidecar = { Key: `${key}.job.yaml`, Body: readTextFile(file, '-f') };
      await s3.send(new PutObjectCommand({ Bucket: bucket, ...sidecar }));
    }
    const { VersionId, ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
    const eTag = ETag.replaceAll('"', '');
    return (source) =>
      source.kind === 'jar-upload' &&
      source.bucket === bucket &&
      source.key === key &&
      (VersionId === undefined ? source.eTag === eTag : source.versionId === VersionId);
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${key}` });
  }
}

/** Found by what its record says of where it came from: the id is the functions' to make, with the sender's tenant. */
async function runOf(mine: Mine, since: number, ledger: LedgerReader, io: Io): Promise<RunRecord> {
  const seen = new Set<string>();
  const until = io.clock.now() + PATIENCE;
  while (io.clock.now() < until && !io.interrupted.aborted) {
    const rows = await ledger.rows({ since, limit: 1000, matches: ({ runId }) => !seen.has(runId) });
    for (const { runId } of rows) {
      seen.add(runId);
      const run = await ledger.read(runId);
      if (mine(run.source)) return run;
    }
    await io.clock.sleep(EVERY);
  }
  const message = `the request was sent, and became no run within ${PATIENCE / 1000} s: see the dead letters; a stream that is upgraded has its next run later: deployments list`;
  throw new DispatchError('RunNotFound', message);
}
