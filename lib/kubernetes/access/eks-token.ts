import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, Checksum, Provider, SourceData } from '@smithy/types';

/** Seconds for which AWS lets a client use the URL; aws-iam-authenticator takes at most this. */
const EXPIRES = 60;
/** Milliseconds for which aws-iam-authenticator honours a token, whatever its URL says. */
const VALID = 15 * 60_000;
/** A token is renewed that much before its end: a clock may be off and a request slow. */
const MARGIN = 5 * 60_000;

export interface EksTokenOptions {
  readonly cluster: string;
  readonly region: string;
  readonly credentials: Provider<AwsCredentialIdentity>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: the regional endpoint of STS, `sts.<region>.amazonaws.com`. */
  readonly stsHost?: string;
}

/**
 * The bearer token of an EKS cluster: a presigned `sts:GetCallerIdentity` that names the cluster in a signed header, as
 * `aws eks get-token` makes it. Made anew only when it is about to end, or when `renew` is set.
 */
export function eksTokens(options: EksTokenOptions): (renew: boolean) => Promise<string> {
  let kept: { readonly at: number; readonly token: string } | undefined;
  return async (renew) => {
    const now = options.now();
    if (renew || kept === undefined || now - kept.at >= VALID - MARGIN)
      kept = { at: now, token: await sign(options, now) };
    return kept.token;
  };
}

async function sign(options: EksTokenOptions, now: number): Promise<string> {
  const hostname = options.stsHost ?? stsHost(options.region);
  const signer = new SignatureV4({
    service: 'sts',
    region: options.region,
    credentials: options.credentials,
    sha256: Sha256,
  });
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { host: hostname, 'x-k8s-aws-id': options.cluster },
  };
  const signed = await signer.presign(request, {
    expiresIn: EXPIRES,
    signingDate: new Date(now),
    unhoistableHeaders: new Set(['x-k8s-aws-id']),
  });
  const query = Object.entries(signed.query ?? {}).map(([name, value]) => `${encode(name)}=${encode(String(value))}`);
  const url = `https://${hostname}/?${query.join('&')}`;
  return `k8s-aws-v1.${Buffer.from(url, 'utf8').toString('base64url')}`;
}

/** Of AWS' partitions, by how the names of their regions begin. */
const DOMAINS = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['us-iso-', 'c2s.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['eusc-', 'amazonaws.eu'],
] as const;

function stsHost(region: string): string {
  const [, domain = 'amazonaws.com'] = DOMAINS.find(([prefix]) => region.startsWith(prefix)) ?? [];
  return `sts.${region}.${domain}`;
}

/** RFC 3986, as signatures want it. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The signer wants a class; Node has functions. */
class Sha256 implements Checksum {
  readonly #secret: SourceData | undefined;
  #state: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#secret = secret;
    this.#state = this.#fresh();
  }

  update(data: Uint8Array): void {
    this.#state.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#state.digest()));
  }

  reset(): void {
    this.#state = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(this.#secret));
  }
}

function bytes(data: SourceData): Uint8Array | string {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
