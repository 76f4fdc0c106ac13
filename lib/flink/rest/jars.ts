import { randomUUID } from 'node:crypto';
import type * as z from 'zod';
import { DispatchError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { Payload } from '../../core/payload.ts';
import { ProgramFailed, type JarRun, type Jars } from '../job-manager.ts';
import { Anything, JarList, JobPlan, JarStarted, JarUploaded } from './answers.ts';
import { call, readAnswer, refusal, send } from './call.ts';
import { rootException } from './root-exception.ts';
import { restPath, type RestTransport } from './transport.ts';

/** An upload and a main() take longer than a look. */
const SLOW = 120_000;

export function createJars(transport: RestTransport): Jars {
  return {
    async upload(name, content) {
      const { body, contentType } = multipart(name, content instanceof Payload ? content : Payload.of(content));
      const request = { method: 'POST', path: '/jars/upload', body, contentType, timeout: SLOW } as const;
      const { filename } = await call(transport, request, JarUploaded);
      const id = filename.split('/').at(-1);
      if (!id)
        throw new DispatchError('RestUnreachable', `the JobManager named no file for the uploaded jar '${name}'`);
      return id;
    },
    async run(jarId, run) {
      return (await callMain(transport, { path: restPath('jars', jarId, 'run'), body: runBody(run) }, JarStarted))
        .jobid;
    },
    async plan(jarId, run) {
      const request = { path: restPath('jars', jarId, 'plan'), body: planBody(run) };
      return (await callMain(transport, request, JobPlan)).plan.nodes;
    },
    async remove(jarId) {
      await call(transport, { method: 'DELETE', path: restPath('jars', jarId) }, Anything);
    },
    async list() {
      const { files } = await call(transport, { method: 'GET', path: '/jars' }, JarList);
      return files.map(({ id, name }) => ({ id, name }));
    },
  };
}

async function callMain<T>(
  transport: RestTransport,
  what: { readonly path: string; readonly body: unknown },
  schema: z.ZodType<T>,
): Promise<T> {
  const request = { method: 'POST', ...what, timeout: SLOW } as const;
  const response = await send(transport, request);
  if (response.status === 200) return readAnswer(request, response.body, schema);
  throw programFailure(response.body) ?? refusal(request, response);
}

/** JarPlanRequestBody. */
function planBody(run: JarRun): Record<string, unknown> {
  const { entryClass, programArgs, parallelism, jobId, flinkConfiguration } = run;
  return { entryClass, programArgsList: programArgs, parallelism, jobId, flinkConfiguration };
}

/** JarRunRequestBody; JSON leaves out what is undefined. */
function runBody(run: JarRun): Record<string, unknown> {
  return {
    entryClass: run.entryClass,
    programArgsList: run.programArgs,
    parallelism: run.parallelism,
    jobId: run.jobId,
    savepointPath: run.savepointPath,
    allowNonRestoredState: run.allowNonRestoredState,
    claimMode: run.claimMode,
    flinkConfiguration: run.flinkConfiguration,
  };
}

/** JarRunHandler wraps what main(), or the look for it in the jar, threw; the stack trace is the answer's text. */
function programFailure(body: unknown): ProgramFailed | undefined {
  const errors = isRecord(body) && Array.isArray(body['errors']) ? body['errors'] : [];
  const text = errors.filter((entry) => typeof entry === 'string').join('\n');
  return /ProgramInvocationException|Could not execute application/.test(text)
    ? new ProgramFailed(rootException(text))
    : undefined;
}

/** JarUploadHandler wants one file of this type, in a field of any name; its name becomes the end of the jar's id. */
function multipart(name: string, content: Payload): { body: Payload; contentType: string } {
  const boundary = `flink-dispatch-${randomUUID()}`;
  // As browsers write a name in a header of a form.
  const filename = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const head =
    `--${boundary}\r\n` +
    `content-disposition: form-data; name="jarfile"; filename="${filename}"\r\n` +
    `content-type: application/x-java-archive\r\n\r\n`;
  const body = content.between(Buffer.from(head, 'utf8'), Buffer.from(`\r\n--${boundary}--\r\n`, 'utf8'));
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}
