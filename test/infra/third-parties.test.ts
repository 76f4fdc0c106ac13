import { expect, it } from 'vitest';

interface Component {
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
}
interface ThirdParties {
  readonly licenseOf: (name: string) => string | undefined;
  readonly noticesOf: (components: readonly Component[], textOf?: (name: string) => string | undefined) => string;
}

const file: string = new URL('../../infra/third-parties.mjs', import.meta.url).href;
const { licenseOf, noticesOf } = (await import(file)) as ThirdParties;

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
