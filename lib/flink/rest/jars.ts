import { DispatchError } from '../../core/errors.ts';
import type { JarRun, Jars } from '../job-manager.ts';
import { Anything, JarStarted, JarUploaded } from './answers.ts';
import { call } from './call.ts';
import { restPath, type RestTransport } from './transport.ts';

/** An upload and a main() take longer than a look. */
const SLOW = 120_000;

export function createJars(transport: RestTransport): Jars {
  return {
    async upload(name, content) {
      const { body, contentType } = await multipart(name, content);
      const request = { method: 'POST', path: '/jars/upload', body, contentType, timeout: SLOW } as const;
      const { filename } = await call(transport, request, JarUploaded);
      const id = filename.split('/').at(-1);
      if (!id)
        throw new DispatchError('RestUnreachable', `the JobManager named no file for the uploaded jar '${name}'`);
      return id;
    },
    async run(jarId, run) {
      const request = {
        method: 'POST',
        path: restPath('jars', jarId, 'run'),
        body: runBody(run),
        timeout: SLOW,
      } as const;
      return (await call(transport, request, JarStarted)).jobid;
    },
    async remove(jarId) {
      await call(transport, { method: 'DELETE', path: restPath('jars', jarId) }, Anything);
    },
  };
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

/** JarUploadHandler wants one file of this type, in a field of any name. */
async function multipart(name: string, content: Uint8Array): Promise<{ body: Uint8Array; contentType: string }> {
  const form = new FormData();
  form.append('jarfile', new Blob([content], { type: 'application/x-java-archive' }), name);
  const encoded = new Response(form);
  const contentType = encoded.headers.get('content-type') ?? '';
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType };
}
