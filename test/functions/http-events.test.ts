import { describe, expect, it } from 'vitest';
import { DEAD_LETTERS, putObject, records, sentTo } from './aws.ts';
import { openHttp, type Answer } from './http-calls.ts';

const call = openHttp({
  events: [
    {
      match: {
        type: 'google.cloud.storage.object.v1.finalized',
        source: '//storage.googleapis.com/projects/_/buckets/landing',
        subject: 'objects/orders/*',
      },
      runJob: 'load',
      args: ['--input', '$.data.name', '--generation', '$.data.generation'],
    },
    {
      match: { type: 'Microsoft.Storage.BlobCreated', subject: '/blobServices/default/containers/landing/blobs/**' },
      runJob: 'load',
      args: ['$.data.url'],
    },
    { match: { type: 'Microsoft.Storage.BlobDeleted' }, runJob: 'no-such-job' },
  ],
});

/** What Eventarc delivers of an upload to Cloud Storage: attributes in headers, the object as the body. */
const OF_GOOGLE = {
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'ce-specversion': '1.0',
    'ce-id': '1587627537231057',
    'ce-source': '//storage.googleapis.com/projects/_/buckets/landing',
    'ce-type': 'google.cloud.storage.object.v1.finalized',
    'ce-subject': 'objects/orders/July%209%20%E2%82%AC.csv',
    'ce-time': '2020-04-23T07:38:57.230Z',
  },
  body: {
    kind: 'storage#object',
    bucket: 'landing',
    name: 'orders/July 9 €.csv',
    generation: '1587627537231057',
    contentType: 'text/csv',
    size: '352',
    timeCreated: '2020-04-23T07:38:57.230Z',
  },
};

/** What Event Grid delivers of an upload to Blob Storage: the whole event as the body, or several in a list. */
const OF_AZURE = {
  specversion: '1.0',
  type: 'Microsoft.Storage.BlobCreated',
  source: '/subscriptions/0/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/acme',
  id: '9aeb0fdf-c01e-0131-0922-9eb54906e209',
  time: '2019-11-18T15:13:39.4589254Z',
  subject: '/blobServices/default/containers/landing/blobs/orders/july.csv',
  data: {
    api: 'PutBlockList',
    contentType: 'text/csv',
    contentLength: 30699,
    blobType: 'BlockBlob',
    url: 'https://acme.blob.core.windows.net/landing/orders/july.csv',
    sequencer: '000000000000000000000000000099240000000000c41c18',
  },
};
const batch = (...body: readonly unknown[]) => ({
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body,
});

function storeJob(): void {
  const spec = { name: 'load', job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.Load', args: ['none'] } };
  putObject('ledger/jobs/load.yaml', JSON.stringify(spec));
}

const results = ({ body }: Answer): readonly object[] => (body as { events: object[] }).events;

describe('POST /events', () => {
  it('runs a stored job for an upload to Cloud Storage, with what the event says', async () => {
    storeJob();
    const told = await call('POST /events', OF_GOOGLE);
    expect(told.status).toBe(202);
    expect(results(told)).toMatchObject([{ result: 'accepted', id: '1587627537231057' }]);
    const [run] = records();
    expect(run).toMatchObject({
      name: 'load',
      state: 'accepted',
      job: { args: ['--input', 'orders/July 9 €.csv', '--generation', '1587627537231057'] },
      source: {
        kind: 'http',
        event: { type: 'google.cloud.storage.object.v1.finalized', subject: 'objects/orders/July 9 €.csv' },
      },
    });
  });

  it('runs one for an upload to Blob Storage, once, however often and however it is delivered', async () => {
    storeJob();
    const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    const first = await call('POST /events', { headers, body: OF_AZURE });
    const again = await call('POST /events', batch(OF_AZURE, { ...OF_AZURE, id: 'another' }));
    expect(results(first)).toMatchObject([{ result: 'accepted' }]);
    expect(results(again)).toMatchObject([{ result: 'duplicate' }, { result: 'accepted' }]);
    expect(records()).toHaveLength(2);
    expect(records()[0]).toMatchObject({ job: { args: [OF_AZURE.data.url] } });
  });

  it('ignores what no rule takes', async () => {
    storeJob();
    const other = { ...OF_AZURE, subject: '/blobServices/default/containers/archive/blobs/july.csv' };
    const below = { ...OF_GOOGLE.headers, 'ce-subject': 'objects/orders/old/july.csv' };
    expect(results(await call('POST /events', batch(other)))).toMatchObject([{ result: 'ignored' }]);
    expect(results(await call('POST /events', { ...OF_GOOGLE, headers: below }))).toMatchObject([
      { result: 'ignored' },
    ]);
    expect(records()).toEqual([]);
  });

  it('keeps an event without what its job asks for as a dead letter, and takes its neighbour', async () => {
    storeJob();
    const without = { ...OF_AZURE, id: 'without', data: { api: 'PutBlob', url: { host: 'acme' } } };
    const told = await call('POST /events', batch(without, OF_AZURE));
    expect(told.status).toBe(202);
    expect(results(told)).toMatchObject([{ result: 'refused', reason: 'InvalidSpec' }, { result: 'accepted' }]);
    const [letter] = sentTo(DEAD_LETTERS);
    expect(JSON.parse(letter?.body ?? '')).toEqual(without);
    expect(letter?.attributes).toMatchObject({ reason: 'InvalidSpec', field: 'data.url' });
  });

  it('tells by its outcome that a job is not there', async () => {
    const told = await call('POST /events', batch({ ...OF_AZURE, type: 'Microsoft.Storage.BlobDeleted' }));
    expect(results(told)).toMatchObject([{ result: 'rejected' }]);
    expect(records()).toMatchObject([{ outcome: { state: 'rejected' } }]);
  });

  it.each([
    ['no event', { headers: { 'content-type': 'application/json' }, body: OF_AZURE }, 'content-type'],
    ['another version', batch({ ...OF_AZURE, specversion: '0.3' }), '[0].specversion'],
    ['an event without a source', batch({ ...OF_AZURE, source: undefined }), '[0].source'],
    ['a header that is no text', { ...OF_GOOGLE, headers: { ...OF_GOOGLE.headers, 'ce-id': '%E2' } }, 'ce-id'],
    ['a batch that is no list', { ...batch(), body: OF_AZURE }, undefined],
    ['a batch of 101', batch(...Array<unknown>(101).fill(OF_AZURE)), undefined],
  ])('answers that it is %s, by field', async (_what, sent, field) => {
    storeJob();
    const { status, body } = await call('POST /events', sent);
    expect(status).toBe(400);
    expect(body).toMatchObject({ reason: 'MalformedRequest', ...(field !== undefined && { field }) });
    expect(records()).toEqual([]);
  });

  it('tells a delivery service that it may send', async () => {
    const headers = { 'webhook-request-origin': 'eventgrid.azure.net' };
    const { status, headers: answered } = await call('OPTIONS /events', { headers });
    expect(status).toBe(204);
    expect(answered).toMatchObject({ 'webhook-allowed-origin': 'eventgrid.azure.net', 'webhook-allowed-rate': '*' });
  });
});
