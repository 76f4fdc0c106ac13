import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { DeploymentRecord } from '../../lib/deployment/record.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import type { Deployment } from './deployment.ts';
import { insist } from './insist.ts';

const RECORD = /^runs\/([0-9a-f]{20})\/record\.json$/;

/** The ledger bucket, read as anybody can. */
export class Ledger {
  private readonly deployment: Pick<Deployment, 's3' | 'ledgerBucket'>;
  private readonly known = new Map<string, RunRecord>();

  constructor(deployment: Pick<Deployment, 's3' | 'ledgerBucket'>) {
    this.deployment = deployment;
  }

  /** All records as they are now. */
  async records(): Promise<readonly RunRecord[]> {
    const ids = (await this.keys('runs/')).flatMap((key) => RECORD.exec(key)?.[1] ?? []);
    const open = ids.filter((id) => this.known.get(id)?.state !== 'closed');
    await Promise.all(
      open.map(async (id) => this.known.set(id, JSON.parse(await this.text(`runs/${id}/record.json`)) as RunRecord)),
    );
    return [...this.known.values()];
  }

  /** Of streams. */
  async deployments(): Promise<readonly DeploymentRecord[]> {
    const keys = (await this.keys('deployments/')).filter((key) => key.endsWith('/record.json'));
    return Promise.all(keys.map(async (key) => JSON.parse(await this.text(key)) as DeploymentRecord));
  }

  async keys(prefix: string): Promise<readonly string[]> {
    const { s3, ledgerBucket } = this.deployment;
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const ContinuationToken = token;
      const want = new ListObjectsV2Command({ Bucket: ledgerBucket, Prefix: prefix, ContinuationToken });
      const page = await insist(() => s3.send(want));
      keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }

  text(key: string): Promise<string> {
    const { s3, ledgerBucket } = this.deployment;
    return insist(async () => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: ledgerBucket, Key: key }));
      return (await Body?.transformToString()) ?? '';
    });
  }
}
