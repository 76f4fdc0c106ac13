const TIMEOUT = 5_000;

/**
 * What an issuer of OpenID Connect says of itself, and of nobody else.
 * @throws Error when it does not answer, or another one does
 */
export async function discover(issuer: string): Promise<Readonly<Record<string, unknown>>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' });
  const document = (await answer.json()) as Readonly<Record<string, unknown>>;
  if (document['issuer'] !== issuer) throw new Error(`${address} is of the issuer ${String(document['issuer'])}`);
  return document;
}
