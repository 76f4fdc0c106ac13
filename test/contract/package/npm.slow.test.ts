import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { npmPackage } from '../../npm-package.ts';

let folder: string;
let tarball: string;

/** Node of this process comes first, as on a machine that has it. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
});

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'npm-package-'));
  tarball = npmPackage(folder);
  // Without a registry: all that the program needs is in it.
  execFileSync('npm', ['install', '--silent', '--offline', '--global', '--prefix', join(folder, 'global'), tarball], {
    cwd: folder,
    env: environment(),
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(...argv: readonly string[]): { code: number | null; out: string } {
  const program = join(folder, 'global', 'bin', 'flink-dispatch');
  const { status, stdout, stderr } = spawnSync(program, argv, { cwd: folder, env: environment(), encoding: 'utf8' });
  return { code: status, out: stdout + stderr };
}

it('is one package of a few megabytes', () => {
  expect(statSync(tarball).size).toBeLessThan(5_000_000);
  const modules = join(folder, 'global', 'lib', 'node_modules');
  expect(readdirSync(modules)).toEqual(['flink-dispatch']);
  const held = readdirSync(join(modules, 'flink-dispatch'));
  expect(held.toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'docs', 'infra', 'package.json']);
  expect(readdirSync(join(modules, 'flink-dispatch', 'infra'))).toEqual(['cdk', 'helm', 'kubernetes', 'terraform']);
  const files = readdirSync(join(modules, 'flink-dispatch', 'dist'));
  expect(files).toEqual(expect.arrayContaining(['sbom.cdx.json', 'THIRD-PARTY-NOTICES.txt']));
});

it.each([
  [['--version'], /^\d+\.\d+\.\d+( \([0-9a-f]{7,}\+?\))?\n$/],
  [['help', 'run'], /Run a job on an application cluster/],
  [['explain', 'JobFailed'], /rootException/],
  [
    [
      'run',
      '--dry-run',
      '-Dkubernetes.cluster-id=a',
      '-Dkubernetes.container.image.ref=flink:2.3.0',
      'local:///job.jar',
    ],
    /kind: Deployment/,
  ],
])('%j runs where nothing else is installed', (argv, answer) => {
  const { code, out } = run(...argv);
  expect(out).toMatch(answer);
  expect(code).toBe(0);
});
