import * as https from 'node:https';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Connection } from '../../lib/kubernetes/access/connection.ts';
import { collectionPath, kindOf } from '../../lib/kubernetes/api/kinds.ts';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';

const UID = '00000000-0000-0000-0000-000000000000';

/** The objects of a cluster as ready texts, sent one after another over one connection that stays open. */
export interface Floor {
  prepare(cluster: FlinkCluster): () => Promise<void>;
}

export async function createFloor(connection: Connection): Promise<Floor> {
  const { headers, tls } = await connection.credentials(false);
  const agent = new https.Agent({ ...tls, keepAlive: true, maxSockets: 1 });
  const post = (path: string, body: string) =>
    new Promise<string>((resolve, reject) => {
      const url = new URL(path, connection.server);
      const length = Buffer.byteLength(body);
      const options = {
        ...{ method: 'POST', agent },
        headers: { ...headers, 'content-type': 'application/json', 'content-length': length },
      };
      const sent = https.request(url, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => (response.statusCode === 201 ? resolve(text) : reject(new Error(text))));
      });
      sent.on('error', reject).end(body);
    });
  return {
    prepare({ namespace, deployment, dependents: dependents }) {
      const pathOf = (object: KubernetesObject) => collectionPath(kindOf(object), namespace);
      const first = { path: pathOf(deployment), body: JSON.stringify(deployment) };
      const rest = dependents.map((object) => ({ path: pathOf(object), body: JSON.stringify(owned(object)) }));
      return async () => {
        const uid = /"uid": ?"([^"]+)"/.exec(await post(first.path, first.body))?.[1] ?? '';
        for (const { path, body } of rest) await post(path, body.replaceAll(UID, uid));
      };
    },
  };
}

function owned(object: KubernetesObject): KubernetesObject {
  const ownerReferences = object.metadata?.ownerReferences?.map((owner) => ({ ...owner, uid: UID }));
  return { ...object, metadata: { ...object.metadata, ...(ownerReferences !== undefined && { ownerReferences }) } };
}
