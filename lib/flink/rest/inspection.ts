import * as z from 'zod';
import type { ClusterInspection } from '../job-manager.ts';
import { Configuration, Logs, TaskManagers } from './answers.ts';
import { call } from './call.ts';
import { restPath, type RestTransport } from './transport.ts';

export function createClusterInspection(transport: RestTransport): ClusterInspection {
  const get = <T>(path: string, schema: z.ZodType<T>) => call(transport, { method: 'GET', path }, schema);
  const base = (taskManagerId?: string) =>
    taskManagerId === undefined ? ['jobmanager', 'logs'] : ['taskmanagers', taskManagerId, 'logs'];
  return {
    async taskManagers() {
      const { taskmanagers } = await get('/taskmanagers', TaskManagers);
      return taskmanagers.map(({ id, slotsNumber, freeSlots }) => ({ id, slots: slotsNumber, freeSlots }));
    },
    async logs(taskManagerId) {
      return (await get(restPath(...base(taskManagerId)), Logs)).logs;
    },
    log: (name, taskManagerId) => get(restPath(...base(taskManagerId), name), z.string()),
    async configuration() {
      const entries = await get('/jobmanager/config', Configuration);
      return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    },
  };
}
