import { describe, expect, it } from 'vitest';
import { parseClusterId } from '../../lib/core/ids.ts';
import type { ApiRequest, ApiResponse } from '../../lib/kubernetes/api/api.ts';
import { createObjectClient } from '../../lib/kubernetes/api/client.ts';
import { ownerMetadata } from '../../lib/kubernetes/cluster/owner-metadata.ts';
import { withdrawPermit } from '../../lib/kubernetes/cluster/start-permit.ts';
import { ownerOf } from '../fakes/ids.ts';
import { failure } from './api-server.ts';

const owner = ownerOf('a'.repeat(20));
const ref = { namespace: 'n', clusterId: parseClusterId('c') };
const NONE: ApiResponse = { status: 404, body: failure(404, 'NotFound', 'none') };
const TAKEN: ApiResponse = { status: 409, body: failure(409, 'AlreadyExists', 'taken') };
const DONE: ApiResponse = { status: 200, body: {} };

/** Withdraws a permit that is not there at first; `answers` to each further PATCH, `created` to the POST. */
async function withdraw(created: ApiResponse, answers: readonly ApiResponse[], theirs = owner): Promise<string[]> {
  const methods: string[] = [];
  const patches = [NONE, ...answers];
  const request = ({ method }: ApiRequest): Promise<ApiResponse> => {
    methods.push(method);
    const deployment = { metadata: { name: 'c', uid: 'u', ...ownerMetadata(theirs) } };
    if (method === 'GET') return Promise.resolve({ status: 200, body: deployment });
    return Promise.resolve(method === 'POST' ? created : (patches.shift() ?? NONE));
  };
  await withdrawPermit(createObjectClient({ request }), ref, owner);
  return methods;
}

describe('a permit that is withdrawn', () => {
  it('is withheld where none is', async () => {
    expect(await withdraw({ ...DONE, status: 201 }, [])).toEqual(['PATCH', 'GET', 'POST']);
  });

  it('is emptied when a launch granted it a moment ago', async () => {
    expect(await withdraw(TAKEN, [DONE])).toEqual(['PATCH', 'GET', 'POST', 'PATCH']);
  });

  it('is asked for again when it comes and goes', async () => {
    await expect(withdraw(TAKEN, [NONE])).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
  });

  it('is left alone when the Deployment is somebody else’s', async () => {
    expect(await withdraw(DONE, [], ownerOf('b'.repeat(20)))).toEqual(['PATCH', 'GET']);
  });
});
