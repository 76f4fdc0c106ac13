import type { Pod } from '../objects.ts';
import type { Addresses, PodAddress } from './addresses.ts';
import type { Overrides } from './flink-config.ts';
import type { PodPaths } from './pod-paths.ts';

const REST = 8081;
const RPC = 6123;
const BLOB = 6124;

/** Ports that a Flink process opens, which need a number of their own where pods share an address. */
export const FLINK_PORTS: readonly number[] = [REST, RPC, BLOB];

export function isFlink(pod: Pod): boolean {
  return pod.metadata.labels?.['type'] === 'flink-native-kubernetes';
}

/** A JobManager uploads to its own blob server at "localhost" (before 2.0): it has to listen there. */
export function isJobManager(pod: Pod): boolean {
  return componentOf(pod) === 'jobmanager';
}

function componentOf(pod: Pod): string | undefined {
  return isFlink(pod) ? pod.metadata.labels?.['component'] : undefined;
}

function jobManagerAddress(pod: Pod, pods: readonly Pod[], addresses: Addresses): PodAddress | undefined {
  const app = pod.metadata.labels?.['app'];
  const peers = pods.filter((other) => other.metadata.labels?.['app'] === app && componentOf(other) === 'jobmanager');
  return peers.map((peer) => addresses.find(peer.metadata.uid)).find((address) => address !== undefined);
}

/**
 * Options that keep clusters apart: each process listens on its pod's address, and the JobManager is addressed by
 * number, since its Service's name does not resolve here.
 */
export function flinkOverrides(
  pod: Pod,
  address: PodAddress,
  paths: PodPaths,
  others: { pods: readonly Pod[]; addresses: Addresses },
): Overrides {
  if (componentOf(pod) === 'jobmanager') {
    return {
      'jobmanager.rpc.address': address.ip,
      'jobmanager.bind-host': address.ip,
      'rest.bind-address': address.ip,
      'user.artifacts.base-dir': paths.at('/opt/flink/artifacts'),
      ...jobManagerPorts(address),
    };
  }
  if (componentOf(pod) !== 'taskmanager') return {};
  const jobManager = jobManagerAddress(pod, others.pods, others.addresses);
  return {
    'taskmanager.host': address.ip,
    'taskmanager.bind-host': address.ip,
    ...(jobManager === undefined
      ? {}
      : { 'jobmanager.rpc.address': jobManager.ip, 'jobmanager.rpc.port': String(jobManager.port(RPC)) }),
    ...(address.shared ? { 'taskmanager.rpc.port': '0', 'taskmanager.data.port': '0' } : {}),
  };
}

function jobManagerPorts(address: PodAddress): Overrides {
  return {
    'jobmanager.rpc.port': String(address.port(RPC)),
    'blob.server.port': String(address.port(BLOB)),
    'rest.bind-port': String(address.port(REST)),
  };
}
