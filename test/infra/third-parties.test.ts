import { expect, it } from 'vitest';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
}
interface Sbom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly { readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}
interface ThirdParties {
  readonly packageFolder: (path: string) => string | undefined;
  readonly onlyBundled: (sbom: Sbom, bundled: ReadonlySet<string>) => Sbom;
  readonly licenseOf: (name: string) => string | undefined;
  readonly noticesOf: (components: readonly Component[], textOf?: (name: string) => string | undefined) => string;
}

const file: string = new URL('../../infra/third-parties.mjs', import.meta.url).href;
const { licenseOf, noticesOf, onlyBundled, packageFolder } = (await import(file)) as ThirdParties;

it('names every package with its license, and says which has no file of it', () => {
  const components = [
    { name: 'a', version: '1.0.0', licenses: [{ license: { id: 'MIT' } }] },
    { name: '@b/c', version: '2.0.0', licenses: [{ expression: 'MIT OR Apache-2.0' }] },
  ];
  const text = noticesOf(components, (name) => (name === 'a' ? 'Permission is hereby granted' : undefined));
  expect(text).toContain('a 1.0.0 (MIT)\n\nPermission is hereby granted\n');
  expect(text).toContain(
    '@b/c 2.0.0 (MIT OR Apache-2.0)\n\nLicense: MIT OR Apache-2.0. The package has no license file.',
  );
});

it('finds the license of a package, and knows when it has none', () => {
  expect(licenseOf('zod')).toContain('Permission is hereby granted');
  expect(licenseOf('@middy/core')).toBeUndefined();
});

it.each([
  ['lib/run/record.ts', undefined],
  ['node_modules/zod/v4/index.js', 'node_modules/zod'],
  ['node_modules/@smithy/core/dist-es/index.js', 'node_modules/@smithy/core'],
  ['node_modules/a/node_modules/@b/c/x.js', 'node_modules/a/node_modules/@b/c'],
])('takes %s for a file of %s', (path, folder) => {
  expect(packageFolder(path)).toBe(folder);
});

it('lists what is bundled, and who needs whom among it', () => {
  const sbom = {
    metadata: { component: { 'bom-ref': 'product@1' } },
    components: [{ 'bom-ref': 'zod@4' }, { 'bom-ref': 'vitest@5' }],
    dependencies: [
      { ref: 'product@1', dependsOn: ['zod@4', 'vitest@5'] },
      { ref: 'vitest@5', dependsOn: ['zod@4'] },
      { ref: 'zod@4', dependsOn: [] },
    ],
  };
  expect(onlyBundled(sbom, new Set(['zod@4']))).toMatchObject({
    components: [{ 'bom-ref': 'zod@4' }],
    dependencies: [
      { ref: 'product@1', dependsOn: ['zod@4'] },
      { ref: 'zod@4', dependsOn: [] },
    ],
  });
});
