import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { cut } from '../src/api/logs.ts';
import { expand } from '../src/node/environment.ts';
import { overrideConfFile } from '../src/node/flink-config.ts';
import { findImage, imageIdOf } from '../src/node/images.ts';
import { PodPaths, toImagePaths } from '../src/node/pod-paths.ts';
import { formatQuantity, parseQuantity } from '../src/quantity.ts';

describe('paths of a pod', () => {
  const paths = new PodPaths('/d/pods/u', ['/opt/flink', '/opt/flink/conf', '/docker-entrypoint.sh', '/data']);

  it.each([
    ['local:///opt/flink/usrlib/a.jar', 'local:///d/pods/u/root/opt/flink/usrlib/a.jar'],
    ['/docker-entrypoint.sh', '/d/pods/u/root/docker-entrypoint.sh'],
    ['--in=/data --out "/data/x"', '--in=/d/pods/u/root/data --out "/d/pods/u/root/data/x"'],
    ['s3://opt/flink/jar', 's3://opt/flink/jar'],
    ['https://host/data/x', 'https://host/data/x'],
    ['/opt/flink-other /mnt/opt/flink /database', '/opt/flink-other /mnt/opt/flink /database'],
  ])('%s', (text, expected) => {
    expect(paths.map(text)).toBe(expected);
  });

  it('writes them back in what a pod asks for', () => {
    const asked = { spec: { path: '/d/pods/0-1/root/opt/flink/conf', other: '/d/pods-x' } };
    expect(toImagePaths('/d/pods', asked)).toEqual({ spec: { path: '/opt/flink/conf', other: '/d/pods-x' } });
  });
});

describe('configuration files of a pod', () => {
  it('overrides nested and flat keys of config.yaml and keeps the rest, with its types', () => {
    const text = 'rest:\n  bind-address: 0.0.0.0\n  port: 8081\npipeline.jars: [a, b]\nempty: ""\n';
    expect(parse(overrideConfFile('config.yaml', text, { 'rest.bind-address': '127.0.0.1' }))).toEqual({
      'rest.port': 8081,
      'pipeline.jars': ['a', 'b'],
      empty: '',
      'rest.bind-address': '127.0.0.1',
    });
  });

  it('overrides lines of flink-conf.yaml, and leaves other files alone', () => {
    const lines = overrideConfFile('flink-conf.yaml', 'a: 1\nrest.port: 1\n', { 'rest.port': '2' });
    expect(lines.split('\n').filter((line) => line !== '')).toEqual(['a: 1', 'rest.port: 2']);
    expect(overrideConfFile('log4j.properties', 'rest.port: 1', { 'rest.port': '2' })).toBe('rest.port: 1');
  });
});

describe('logs', () => {
  const text = Buffer.from('one\ntwo\n\nfour');
  it.each([
    ['', 'one\ntwo\n\nfour'],
    ['tailLines=0', ''],
    ['tailLines=1', 'four'],
    ['tailLines=2', '\nfour'],
    ['tailLines=9', 'one\ntwo\n\nfour'],
    ['tailLines=3&limitBytes=4', 'two\n'],
  ])('%s', (query, expected) => {
    expect(cut(text, new URLSearchParams(query)).toString()).toBe(expected);
  });

  it('counts a last line that has its end', () => {
    expect(cut(Buffer.from('a\nb\n'), new URLSearchParams('tailLines=1')).toString()).toBe('b\n');
    expect(cut(Buffer.from('\nb\n'), new URLSearchParams('tailLines=2')).toString()).toBe('\nb\n');
  });
});

describe('small things', () => {
  it('expands variables as Kubernetes does', () => {
    expect(expand('$(A) $$(A) $(B) $A', { A: '1' })).toBe('1 $(A) $(B) $A');
  });

  it('finds images by the names that mean the same', () => {
    const images = { 'flink:2.3.0': { flinkHome: '/f' }, busybox: {} };
    expect(findImage(images, 'docker.io/library/flink:2.3.0')).toEqual({ flinkHome: '/f' });
    expect(findImage(images, 'busybox:latest')).toEqual({});
    expect(imageIdOf('flink:2.3.0')).toMatch(/^docker\.io\/library\/flink@sha256:[0-9a-f]{64}$/);
    expect(findImage(images, imageIdOf('flink:2.3.0'))).toEqual({ flinkHome: '/f' });
    expect(findImage(images, imageIdOf('flink:2.2.0'))).toBeUndefined();
    expect(findImage(images, 'flink:2.3')).toBeUndefined();
  });

  it('reads and writes quantities', () => {
    expect(['1600Mi', '500m', '2', '1e3', 'x'].map(parseQuantity)).toEqual([1677721600, 0.5, 2, 1000, undefined]);
    expect([1677721600, 0.5, 3].map(formatQuantity)).toEqual(['1600Mi', '500m', '3']);
  });
});
