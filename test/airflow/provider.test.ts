import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostEnvironment } from '../../infra/local/aws/ministack.ts';
import { startGroup } from '../../infra/local/process.ts';
import { silent } from '../../infra/local/progress.ts';
import { lacking } from './lacking.ts';
import { installAirflow, PROVIDER } from './provider.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airflow-provider-test-'));
});

afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

it.skipIf(lacking !== '')("passes the provider's own tests, in Python", { timeout: 600_000 }, async () => {
  const python = await installAirflow(silent);
  const logFile = join(folder, 'pytest.log');
  const environment = {
    ...hostEnvironment(),
    AIRFLOW_HOME: folder,
    PYTHONPATH: PROVIDER,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const tests = await startGroup(python, ['-m', 'pytest', '-q', PROVIDER], { folder, logFile, environment });
  const how = await tests.exited;
  const output = await readFile(logFile, 'utf8');
  expect(how, output).toBe('exit code 0');
  expect(output).toMatch(/\d+ passed in/);
});
