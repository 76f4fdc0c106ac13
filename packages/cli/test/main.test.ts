import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands.ts';
import { main } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';
import { runCli } from './run-cli.ts';

const run = (...argv: string[]) => runCli(argv, { version: '1.2.3' });

describe('help', () => {
  it('lists every command', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    expect(out).toContain('KUBECONFIG');
  });

  it.each(COMMANDS.map(({ name }) => name))('%s shows its flags and an example', async (name) => {
    const { code, out, err } = await run(...name.split(' '), '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: flink-dispatch ${name} `, 'm'));
    expect(out).toMatch(new RegExp(`Examples:\\n  flink-dispatch ${name.split('-')[0] ?? ''}`));
    expect(out).toContain('--help');
  });

  it.each([
    [['session', '--help'], /session start .*\n.*session stop/],
    [['standalone', '-h'], /standalone scale/],
    [['help', 'runs'], /runs explain/],
    [['help', 'session', 'start'], /Usage: flink-dispatch session start/],
    [['help', 'run'], /Usage: flink-dispatch run /],
    [['help'], /Commands:/],
  ])('%j is help as well', async (argv, text) => {
    const { code, out, err } = await run(...argv);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(text);
  });

  it('of an unknown command is a mistake', async () => {
    expect(await run('help', 'rnu')).toMatchObject({ code: 2, err: expect.stringContaining("'run'") as string });
  });

  it('has every command in the table of docs/cli.md', () => {
    const table = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    for (const { name } of COMMANDS) {
      const [first = '', second = first] = name.split(' ');
      const row = table.find((line) => line.includes(`\`${first}`) && line.includes(second));
      expect(row, name).toBeDefined();
    }
  });

  it('does not show flags that are refused', async () => {
    expect((await run('run', '--help')).out).not.toContain('--python');
  });

  it('no command at all is a mistake', async () => {
    const { code, out, err } = await run();
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage:');
  });
});

it('says its version', async () => {
  expect(await run('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
});

describe('mistakes', () => {
  it.each([
    [['rnu'], /unknown command 'rnu'; did you mean 'run'\?/],
    [['session'], /session needs one of: session start, session stop, session list, session attach/],
    [['run'], /no jar/],
    [['run', '--paralelism=3', 'x.jar'], /did you mean --parallelism\?\nSee flink-dispatch run --help/],
    [['run', '-p', 'many', 'local:///x.jar'], /-p many: the parallelism must be a positive number/],
    [['run', '-t', 'yarn-application', 'local:///x.jar'], /kubernetes-application or kubernetes-session/],
    [['run', '-py', 'x.py'], /in place of the jar/],
    [['run', '-C', 'no url', 'local:///x.jar'], /-C no url: must be a URL/],
    [['run', '-s', 's3://x', '-cm', 'mine', 'local:///x.jar'], /no_claim, claim or legacy/],
    [
      ['run', '-Dkubernetes.pod-template-file.default=/no/such.yaml', 'local:///x.jar'],
      /kubernetes.pod-template-file.default: cannot read \/no\/such.yaml/,
    ],
    [['run', '--dry-run', '-o', 'xml', 'local:///x.jar'], /-o xml: must be yaml or json/],
    [['session', 'start', '-jm', '1g'], /--jobManagerMemory 1g: must be a whole number/],
    [['session', 'stop', 'x', '-ms', 'https://k8s'], /the kubeconfig has no context for the API server https:\/\/k8s/],
    [['run', '-m', 'host:8081', 'x.jar'], /-m host:8081 is not supported: name the cluster with/],
    [['savepoint', '--type', 'huge', 'x'], /canonical or native/],
    [['logs', 'x', '--tail', 'all'], /--tail all/],
    [['ui', 'x', '--port', '99999'], /--port 99999/],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await run(...argv);
    expect(err).toMatch(message);
    expect([code, out]).toEqual([2, '']);
  });

  it('are JSON when JSON is asked for', async () => {
    const { code, err } = await run('list', '--json', '--nonsense');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toMatchObject({
      error: { reason: 'Usage', message: expect.stringContaining('--nonsense') as string },
    });
  });

  it('no kubeconfig', async () => {
    const io = fakeIo({ KUBECONFIG: '/no/such/kubeconfig' });
    expect(await main(['list'], io, '1')).toBe(2);
    expect(io.stderr()).toMatch(/no kubeconfig: looked for \/no\/such\/kubeconfig; set KUBECONFIG/);
  });

  it('a conf folder that is not there', async () => {
    const io = fakeIo({ FLINK_CONF_DIR: '/no/such/conf' });
    expect(await main(['run', '--dry-run', 'local:///x.jar'], io, '1')).toBe(2);
    expect(io.stderr()).toMatch(/FLINK_CONF_DIR: there is no folder \/no\/such\/conf/);
  });

  it('a Flink version without rules', async () => {
    const { code, err } = await run('run', '--dry-run', '--flink-version', '1.12', 'local:///x.jar');
    expect(code).toBe(1);
    expect(err).toMatch(/UnsupportedFlinkVersion: Flink version '1\.12'/);
  });
});
