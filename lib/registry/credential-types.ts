import type { Endpoint } from './settings.ts';

/** What a registry is told to let somebody in. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Exchanged for tokens, as Azure's registry gives it to `docker login`. */
  | { readonly kind: 'identity'; readonly token: string };

/** `renew`: those that it gave before were refused. */
export type CredentialsFor = (endpoint: Endpoint, renew: boolean) => Promise<Credentials | undefined>;
