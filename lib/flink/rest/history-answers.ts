import * as z from 'zod';

/* Answers of which samples are made, 1.19 to 2.3. */

/** IOMetricsInfo; sums over subtasks. "NaN" is what a source tells that does not measure its time. */
const milliseconds = z.number().optional().catch(undefined);
const count = z.number().catch(0);

/** JobDetailsInfo, with the JSON plan in it. */
export const JobGraph = z.object({
  jid: z.string(),
  name: z.string(),
  vertices: z.array(
    z
      .object({
        id: z.string(),
        name: z.string(),
        parallelism: z.number(),
        metrics: z.object({
          'read-records': count,
          'write-records': count,
          'read-bytes': count,
          'write-bytes': count,
          'accumulated-busy-time': milliseconds,
          'accumulated-idle-time': milliseconds,
          'accumulated-backpressured-time': milliseconds,
        }),
      })
      .transform(({ metrics, ...vertex }) => ({ ...vertex, counts: metrics })),
  ),
  plan: z
    .object({
      nodes: z.array(
        z
          .object({
            id: z.string(),
            inputs: z.array(z.object({ id: z.string(), ship_strategy: z.string().nullish() })).default([]),
          })
          .transform(({ id, inputs }) => ({
            id,
            inputs: inputs.map((input) => ({
              id: input.id,
              ...(input.ship_strategy && { ship: input.ship_strategy }),
            })),
          })),
      ),
    })
    .catch({ nodes: [] }),
});

/** CheckpointingStatistics, of which only the newest complete one. */
export const CheckpointFigures = z.object({
  counts: z.object({ completed: z.number(), failed: z.number() }),
  latest: z.object({
    completed: z
      .object({
        id: z.number(),
        latest_ack_timestamp: z.number(),
        end_to_end_duration: z.number(),
        state_size: z.number(),
        checkpointed_size: z.number().optional(),
      })
      .nullish(),
  }),
});

/** AggregatedTaskManagerMetricsHeaders. */
export const AggregatedMaximum = z.array(z.object({ id: z.string(), max: z.number().optional().catch(undefined) }));
