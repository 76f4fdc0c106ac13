import { afterAll, beforeAll } from 'vitest';
import type { KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { apiOfKubeconfig } from '../../contract/support/kubernetes.ts';
import { openTenant, type Tenant } from './tenant.ts';

/** What the tests of a file or block share: there from their first to their last. */
export interface TenantSuite {
  /** The API with all rights. */
  readonly admin: KubernetesApi;
  readonly tenant: Tenant;
}

export function tenantSuite(): TenantSuite {
  let opened: TenantSuite | undefined;
  const suite = (): TenantSuite => {
    if (opened === undefined) throw new Error('a tenant is there in tests and hooks alone');
    return opened;
  };
  beforeAll(async () => {
    const admin = await apiOfKubeconfig();
    opened = { admin, tenant: await openTenant(admin) };
  });
  afterAll(() => opened?.tenant.remove());
  return {
    get admin() {
      return suite().admin;
    },
    get tenant() {
      return suite().tenant;
    },
  };
}
