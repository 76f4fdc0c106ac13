/** The annotation of a cluster whose JobManager waits until the end of its application was read. */
export const HELD = 'flink-dispatch.io/held';

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export function isHeld({ annotations }: Annotated): boolean {
  return annotations?.[HELD] === 'true';
}
