import { spawn } from 'node:child_process';
import * as z from 'zod';
import { DispatchError, describeError } from '../../../core/errors.ts';
import { redactText } from '../../../core/redaction/redact.ts';
import { parseWith } from '../../../core/schema.ts';
import type { ExecEntry } from './file.ts';
import { invalid } from './invalid.ts';

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;

const answer = z.object({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  status: z.object({
    token: z.string().default(''),
    clientCertificateData: z.string().default(''),
    clientKeyData: z.string().default(''),
    expirationTimestamp: z.string().optional(),
  }),
});

export interface PluginCredentials {
  readonly token: string;
  readonly cert: string;
  readonly key: string;
  /** Milliseconds since the epoch; absent: until the server refuses them. */
  readonly until?: number;
}

export interface PluginPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The plugin may ask the user: standard input is a terminal. */
  readonly terminal: boolean;
  /** `spec.cluster` of the ExecCredential, for plugins with `provideClusterInfo`. */
  readonly cluster: () => Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Runs a credential plugin as client-go does (`plugin/pkg/client/auth/exec`): with KUBERNETES_EXEC_INFO always, and with
 * the cluster in it where the kubeconfig wants it.
 * @throws DispatchError `InvalidConfiguration` for its entry, `ClusterUnavailable` for what it did
 */
export async function runExecPlugin(exec: ExecEntry, place: PluginPlace): Promise<PluginCredentials> {
  const { command, apiVersion, installHint = '' } = checked(exec);
  const interactive = exec.interactiveMode !== 'Never' && place.terminal;
  if (exec.interactiveMode === 'Always' && !interactive) {
    throw refused(`${command} wants to ask at a terminal (interactiveMode: Always), and there is none`);
  }
  const cluster = exec.provideClusterInfo === true ? await place.cluster() : undefined;
  const info = { kind: 'ExecCredential', apiVersion, spec: { cluster, interactive } };
  const added = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
  const env = { ...place.env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const ended = await run(command, exec.args, env, interactive);
  if (ended.error !== undefined) {
    const hint = installHint === '' ? '' : `: ${installHint.trim()}`;
    throw refused(`${command} cannot be run (${describeError(ended.error)})${hint}`);
  }
  if (ended.code !== 0) throw refused(`${command} ended with exit code ${ended.code}: ${tailOf(ended.stderr)}`);
  return credentialsIn(ended.stdout, command, apiVersion);
}

function checked(exec: ExecEntry): { command: string; apiVersion: string; installHint?: string | undefined } {
  const { command = '', apiVersion = '', installHint } = exec;
  if (command === '') throw invalid('users[].user.exec has no command');
  if (!API_VERSIONS.some((version) => version === apiVersion)) {
    const fix = `it must be ${API_VERSIONS.join(' or ')}: update the kubeconfig, for EKS with aws eks update-kubeconfig`;
    throw invalid(`apiVersion of users[].user.exec is ${apiVersion === '' ? 'not set' : `'${apiVersion}'`}; ${fix}`);
  }
  return { command, apiVersion, installHint };
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly error?: unknown;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, interactive: boolean): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    const told = (code: number | null, error?: unknown): void =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(errors).toString(), error });
    child.stdout?.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => {
      errors.push(bytes);
      // What a plugin asks, it asks there.
      if (interactive) process.stderr.write(bytes);
    });
    child.on('error', (error) => told(null, error));
    child.on('close', (code) => told(code));
  });
}

function credentialsIn(stdout: string, command: string, apiVersion: string): PluginCredentials {
  const said = readAnswer(stdout, command);
  if (said.apiVersion !== undefined && said.apiVersion !== apiVersion) {
    throw refused(`${command} answered with ${said.apiVersion}, and the kubeconfig asks for ${apiVersion}`);
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = said.status;
  if (token === '' && cert === '' && key === '') throw refused(`${command} gave neither a token nor a certificate`);
  if ((cert === '') !== (key === '')) throw refused(`${command} gave a certificate or a key, not both`);
  const until = expirationTimestamp === undefined ? NaN : Date.parse(expirationTimestamp);
  return { token, cert, key, ...(Number.isFinite(until) ? { until } : {}) };
}

function readAnswer(stdout: string, command: string): z.output<typeof answer> {
  try {
    return parseWith(answer, JSON.parse(stdout));
  } catch (error) {
    // Its answer may hold a token.
    const why = error instanceof DispatchError ? error.message : 'it is no JSON';
    throw refused(`the answer of ${command} is no ExecCredential: ${why}`);
  }
}

function tailOf(stderr: string): string {
  const text = redactText(stderr.trim()).slice(-1000);
  return text === '' ? 'it said nothing' : text;
}

function refused(message: string): DispatchError {
  return new DispatchError('ClusterUnavailable', `the kubeconfig's credential plugin ${message}`);
}
