import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eksTokens } from '../../lib/kubernetes/access/eks-token.ts';

interface Vector {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly region: string;
  readonly cluster: string;
  readonly now: number;
  readonly url: string;
  readonly token: string;
}

const { vectors } = JSON.parse(readFileSync('test/fixtures/eks/tokens.json', 'utf8')) as { vectors: readonly Vector[] };

function tokensOf(vector: Vector, now: () => number): (renew: boolean) => Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken, region, cluster } = vector;
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
  return eksTokens({ cluster, region, now, credentials: () => Promise.resolve(identity) });
}

describe('the token of an EKS cluster', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))(
    'is what botocore signs, %s',
    async (_name, vector) => {
      const token = await tokensOf(vector, () => vector.now)(false);
      expect(parts(token)).toEqual(parts(vector.token));
    },
  );

  it('is kept for ten of its fifteen minutes, and made anew when it was refused', async () => {
    const [vector] = vectors;
    if (vector === undefined) throw new Error('no vector');
    let now = vector.now;
    const tokens = tokensOf(vector, () => now);
    const first = await tokens(false);
    now += 10 * 60_000 - 1;
    expect(await tokens(false)).toBe(first);
    now += 1;
    const second = await tokens(false);
    expect(second).not.toBe(first);
    now += 1000;
    expect(await tokens(true)).not.toBe(second);
  });
});

/** The order of a URL's parameters is free: what is signed is their sorted form. */
function parts(token: string): Record<string, string> {
  expect(token).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
  const url = new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'));
  return { origin: url.origin, path: url.pathname, ...Object.fromEntries(url.searchParams) };
}
