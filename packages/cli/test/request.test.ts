import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands.ts';
import { parseFlags } from '../src/flags/flags.ts';
import { clusterRequest, programFlags } from '../src/flags/request.ts';
import { readSettings, versionOfImage } from '../src/flags/settings.ts';
import { fakeIo } from './fake-io.ts';

function parse(name: string, ...argv: string[]) {
  const command = COMMANDS.find((one) => one.name === name);
  return parseFlags(command?.flags ?? [], argv, command?.stopAtArgument ?? false);
}

function request(...argv: string[]) {
  const parsed = parse('run', ...argv);
  return clusterRequest(readSettings(fakeIo(), parsed), parsed, 'application');
}

describe('clusterRequest', () => {
  it('gives Flink what the flags say and no more', () => {
    expect(request('-Dkubernetes.cluster-id=a', '-c', 'x.Main', '-p', '3', 'local:///j.jar', '--in', '')).toEqual({
      flinkVersion: '2.3',
      mode: 'application',
      options: { 'kubernetes.cluster-id': 'a', 'execution.target': 'kubernetes-application' },
      program: { jars: ['local:///j.jar'], entryClass: 'x.Main', args: ['--in', ''] },
      flags: { parallelism: 3 },
    });
  });

  it('makes up a cluster id as Flink does', () => {
    const { options } = request('local:///j.jar');
    expect(options['kubernetes.cluster-id']).toMatch(/^flink-cluster-[0-9a-f]{31}$/);
  });

  it('-j names the jar, and leaves all arguments to the program', () => {
    expect(request('-j', 'local:///j.jar', 'a', 'b').program).toEqual({
      jars: ['local:///j.jar'],
      args: ['a', 'b'],
    });
  });

  it('a Python program in place of a jar is run by its driver', () => {
    expect(request('local:///opt/flink/usrlib/job.py', '--day', '1').program).toEqual({
      jars: [],
      entryClass: 'org.apache.flink.client.python.PythonDriver',
      args: ['--python', '/opt/flink/usrlib/job.py', '--day', '1'],
    });
  });

  it('a path without a scheme is a file of this machine', () => {
    expect(request('/tmp/job.jar').program?.jars).toEqual(['/tmp/job.jar']);
  });
});

describe('programFlags', () => {
  it.each([
    [['-d'], { detached: true }],
    [['-sae'], { shutdownOnAttachedExit: true }],
    [['-C', 'file:///a', '-C', 'http://b/c'], { classpaths: ['file:///a', 'http://b/c'] }],
    [['-s', 's3://x', '-n'], { savepointPath: 's3://x', allowNonRestoredState: true }],
    [['-s', 's3://x', '-rm', 'claim'], { savepointPath: 's3://x', allowNonRestoredState: false, claimMode: 'CLAIM' }],
    [['-n', '-cm', 'claim'], {}],
    [['-p', '-1'], { parallelism: -1 }],
  ])('%j', (argv, expected) => {
    expect(programFlags(parse('run', ...argv))).toEqual(expected);
  });
});

describe('versionOfImage', () => {
  it.each([
    ['flink:2.3.0', '2.3.0'],
    ['localhost/flink:1.20.0', '1.20.0'],
    ['registry.example:5000/apache/flink:1.20.1-scala_2.12-java17', '1.20.1'],
    ['my-flink-app:2.1', '2.1'],
    ['registry.example:5000/flink:v1.20.1-amzn-0', '1.20.1'],
    [`flink:1.20.0@sha256:${'a'.repeat(64)}`, '1.20.0'],
    ['word-count:1.20', undefined],
    ['flink:latest', undefined],
    ['flink:7.1.0', undefined],
    ['flink@sha256:00', undefined],
    ['flink', undefined],
  ])('%s', (image, version) => {
    expect(versionOfImage({ 'kubernetes.container.image.ref': image })).toBe(version);
    expect(versionOfImage({ 'kubernetes.container.image': image })).toBe(version);
  });
});
