import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort, hostEnvironment } from '../../infra/local/aws/ministack.ts';
import { run, startGroup, type ProcessGroup } from '../../infra/local/process.ts';

export interface AirflowOptions {
  /** With Airflow. */
  readonly python: string;
  /** Gets its database and its logs. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface TaskInstance {
  readonly state: string | null;
  readonly try_number: number;
  /** While it is deferred, once a triggerer has taken it. */
  readonly triggerer_job: { readonly id: number } | null;
}

/** Airflow's API server, scheduler and triggerer, each a process of its own. */
export interface Airflow {
  /** Answers the id of the DAG's run. */
  trigger(dag: string): Promise<string>;
  task(dag: string, run: string): Promise<TaskInstance>;
  xcom(dag: string, run: string, key: string): Promise<unknown>;
  markFailed(dag: string, run: string): Promise<void>;
  clear(dag: string, run: string): Promise<void>;
  startTriggerer(): Promise<ProcessGroup>;
  stop(): Promise<void>;
}

const TASK = 'run';
const DAGS = join(import.meta.dirname, 'dags');

export async function startAirflow(options: AirflowOptions): Promise<Airflow> {
  const { folder } = options;
  const port = await freePort('127.0.0.1');
  const environment = { ...hostEnvironment(), ...settings(folder, port), ...options.environment };
  const groups: ProcessGroup[] = [];
  const inFolder = (name: string) => ({ folder, environment, logFile: join(folder, `${name}.log`) });
  const start = async (name: string, ...more: readonly string[]): Promise<ProcessGroup> => {
    const group = await startGroup(options.python, ['-m', 'airflow', name, ...more], inFolder(name));
    groups.push(group);
    return group;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(groups.map((group) => group.stop(5_000)));
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await run(options.python, ['-m', 'airflow', 'db', 'migrate'], inFolder('migrate'));
    // In place of a processor that reads them again and again.
    await run(options.python, ['-m', 'airflow', 'dags', 'reserialize'], inFolder('reserialize'));
    await start('api-server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1');
    await start('scheduler', '--skip-serve-logs');
    const health = async () => {
      const answer = await fetch(`${url}/api/v2/monitor/health`);
      expect(await answer.json()).toMatchObject({ scheduler: { status: 'healthy' } });
    };
    await vi.waitFor(health, { timeout: 120_000, interval: 250 });
  } catch (error) {
    await stop();
    throw error;
  }
  const call = callsOf(`${url}/api/v2`);
  const instance = (dag: string, id: string): string => `/dags/${dag}/dagRuns/${encodeURIComponent(id)}/taskInstances`;
  return {
    async trigger(dag) {
      const made = await call('POST', `/dags/${dag}/dagRuns`, { logical_date: null });
      return (made as { dag_run_id: string }).dag_run_id;
    },
    task: async (dag, id) => (await call('GET', `${instance(dag, id)}/${TASK}`)) as TaskInstance,
    async xcom(dag, id, key) {
      return ((await call('GET', `${instance(dag, id)}/${TASK}/xcomEntries/${key}`)) as { value: unknown }).value;
    },
    async markFailed(dag, id) {
      await call('PATCH', `${instance(dag, id)}/${TASK}`, { new_state: 'failed' });
    },
    async clear(dag, id) {
      const what = { dry_run: false, dag_run_id: id, task_ids: [TASK], only_failed: false, reset_dag_runs: true };
      await call('POST', `/dags/${dag}/clearTaskInstances`, what);
    },
    startTriggerer: () => start('triggerer', '--skip-serve-logs'),
    stop,
  };
}

function callsOf(url: string): (method: string, path: string, body?: unknown) => Promise<unknown> {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as unknown;
  };
}

function settings(folder: string, port: number): Record<string, string> {
  return {
    AIRFLOW_HOME: folder,
    AIRFLOW__CORE__DAGS_FOLDER: DAGS,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__CORE__EXECUTOR: 'LocalExecutor',
    AIRFLOW__CORE__PARALLELISM: '2',
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: 'True',
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${port}/execution/`,
    AIRFLOW__CORE__FERNET_KEY: '',
    AIRFLOW__API__BASE_URL: `http://127.0.0.1:${port}`,
    AIRFLOW__API__SECRET_KEY: randomBytes(16).toString('hex'),
    AIRFLOW__API_AUTH__JWT_SECRET: randomBytes(32).toString('hex'),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `sqlite:///${join(folder, 'airflow.db')}`,
    AIRFLOW__LOGGING__BASE_LOG_FOLDER: join(folder, 'logs'),
    // A triggerer that was killed is missed after so many seconds; 30 by default.
    AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD: '5',
    AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC: '1',
    // Five seconds by default, which is little on a machine that has much to do.
    AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT: '60',
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED: 'False',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
