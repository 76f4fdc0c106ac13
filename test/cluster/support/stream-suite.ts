import { afterAll, beforeAll, type TestContext } from 'vitest';
import { buildJars, CountedStream, type CountedStreamOptions, type Jars } from './counted-stream.ts';
import { startStorage, type Storage } from './s3.ts';
import { openUploads } from './streams.ts';
import { tenantSuite, type TenantSuite } from './tenant-suite.ts';

/** Where streams reach this machine: test/cluster/lab/enter says. Empty: nowhere, and their tests are skipped. */
export const STREAM_HOST = process.env['NODE_IP'] ?? '';

type Differently = Pick<CountedStreamOptions, 'upgradeMode'> & Partial<CountedStreamOptions>;

/** What the streams of a file share: their namespace, their storage and their jars. */
export interface StreamSuite extends TenantSuite {
  /** A stream that counts as its first version. */
  counting(version: string, options: Differently, test: TestContext): Promise<CountedStream>;
}

export function streamSuite(file: string): StreamSuite {
  const suite = tenantSuite();
  let shared: { readonly storage: Storage; readonly jars: Jars } | undefined;
  if (STREAM_HOST === '') console.warn(`SKIPPED: ${file}: run it in test/cluster/lab/enter`);
  beforeAll(async () => {
    const [storage, jars] = await Promise.all([startStorage(), buildJars()]);
    shared = { storage, jars };
    await openUploads(storage);
  });
  afterAll(() => shared?.storage.stop());
  return {
    get admin() {
      return suite.admin;
    },
    get tenant() {
      return suite.tenant;
    },
    async counting(version, options, test) {
      if (shared === undefined) throw new Error('streams are there in tests alone');
      const place = { tenant: suite.tenant, host: STREAM_HOST };
      const stream = await CountedStream.open({ ...place, version, ...shared, ...options }, test);
      await stream.upload('first');
      await stream.countsAs('first');
      const { streams } = stream;
      await streams.until(
        () => `it is seen running: ${streams.situation()}`,
        60,
        () => streams.isSeenRunning,
      );
      return stream;
    },
  };
}
