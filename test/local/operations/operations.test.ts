import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { ensureArchivedJava } from '../../../infra/local/flink/class-archive.ts';
import { ensureFlink } from '../../../infra/local/flink/distribution.ts';
import { checkTools } from '../../../infra/local/flink/tools.ts';
import { silent } from '../../../infra/local/progress.ts';
import { startStack, type Stack } from '../../../infra/local/stack.ts';
import { operations } from './suite.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '' && process.env['CI'] !== undefined) throw new Error(`operations need ${lacking}`);
if (lacking !== '') process.stderr.write(`SKIPPED: operations are not tested: they need ${lacking}\n`);

describe.skipIf(lacking !== '')('operations, on the deployed functions', () => {
  let stack: Stack;
  let stateFolder: string;
  beforeAll(async () => {
    await ensureArchivedJava(await ensureFlink({ log: () => undefined }));
    stateFolder = await mkdtemp(join(tmpdir(), 'flink-dispatch-operations-'));
    stack = await startStack({ progress: silent, parameters: { HttpApi: 'iam' } });
  });
  afterAll(async () => {
    await stack.stop();
    await rm(stateFolder, { recursive: true, force: true });
  });

  operations(() => ({ stack, host: '127.0.0.1', stateFolder }));
});
