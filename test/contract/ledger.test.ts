import { createS3Ledger } from '../../lib/run/s3-ledger.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { freshBucket, forEachAwsServer } from './aws-server.ts';
import { describeLedger } from './ledger-suite.ts';

describeLedger('fake', () => new FakeLedger());

forEachAwsServer((server) => {
  describeLedger(`S3 of ${server.name}`, async () => createS3Ledger(await freshBucket(server)));
});
