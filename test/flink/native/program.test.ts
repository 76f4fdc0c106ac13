import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { programOf } from '../../../lib/job/jar/program.ts';
import { flatten, RECORDED_VERSIONS, shippedConf } from './recordings.ts';

const FIXTURES = new URL('../../fixtures/flink/programs/', import.meta.url);

/** Recorded: `flink run … -py /opt/flink/usrlib/job.py --day 1` (`run-application` in 1.20), the ConfigMap's config.yaml. */
it.each(RECORDED_VERSIONS)("a Python program is configured as by Flink %s's own client", (flinkVersion) => {
  const recorded = readFileSync(new URL(`${flinkVersion}/python.yaml`, FIXTURES), 'utf8');
  const job = { jar: { uri: 's3://jobs/job.py' }, args: ['--day', '1'] } as unknown as ResolvedJob;
  const { configuration } = buildCluster({
    flinkVersion,
    mode: 'application',
    options: {
      'kubernetes.cluster-id': 'python',
      'kubernetes.namespace': 'native-test',
      'kubernetes.container.image.ref': 'localhost/pause:1',
    },
    conf: shippedConf(flinkVersion),
    program: programOf(job, 'local:///opt/flink/usrlib/job.py'),
    flags: {},
  });
  expect(configuration).toEqual(Object.fromEntries(flatten(parse(recorded))));
});
