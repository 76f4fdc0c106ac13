import type { ClassArchives } from '../../../../lib/delivery/classes/archives.ts';
import { describeError } from '../../../../lib/core/errors.ts';
import type { JobSpec } from '../../../../lib/job/spec/spec.ts';
import { ok, unknown, type Seen } from './check.ts';

export interface Starts {
  readonly target: string;
  /** The deployment's and the target's defaults, lowest first. */
  readonly layers: readonly JobSpec[];
  /** Absent where no ledger is named. */
  readonly archives?: Pick<ClassArchives, 'find'>;
}

/** What a start of the defaults takes longer for than it must. None of it is a fault. */
export async function checkStart({ target, layers, archives }: Starts): Promise<Seen> {
  const said = <T>(read: (spec: JobSpec) => T | undefined): T | undefined =>
    layers.map(read).findLast((value) => value !== undefined);
  const image = said((spec) => spec.image);
  const isFast = (said((spec) => spec.fastStart) ?? false) !== false;
  const isAsked = isFast && image !== undefined && archives !== undefined;
  const archive = isAsked ? await archiveOf(archives, target, image) : undefined;
  const helps = [
    ...(isFast ? [] : ['fastStart: true cuts the processor time of a start to half']),
    ...(archive?.kind === 'none' ? [`flink-dispatch image warm ${image ?? ''} records the classes of the image`] : []),
    ...(said((spec) => spec.imagePullPolicy) === 'Always'
      ? ['imagePullPolicy: Always asks the registry at each start']
      : []),
    ...(['jobManager', 'taskManager'] as const).flatMap((component) => {
      const cores = coresOf(component, said);
      return cores < 1 ? [`a ${component} of ${String(cores)} cores starts slower than one of a whole core`] : [];
    }),
  ];
  if (archive?.kind === 'unknown') return unknown(`class archives: ${archive.why}`);
  return ok(helps.length === 0 ? 'as fast as the defaults allow' : helps.join('; '));
}

type Found = { readonly kind: 'some' | 'none' } | { readonly kind: 'unknown'; readonly why: string };

async function archiveOf(archives: Pick<ClassArchives, 'find'>, target: string, image: string): Promise<Found> {
  try {
    return { kind: (await archives.find({ target, image })) === undefined ? 'none' : 'some' };
  } catch (error) {
    return { kind: 'unknown', why: describeError(error) };
  }
}

function coresOf(
  component: 'jobManager' | 'taskManager',
  said: <T>(read: (spec: JobSpec) => T | undefined) => T | undefined,
): number {
  const key = `kubernetes.${component.toLowerCase()}.cpu`;
  const factor = said((spec) => spec.flinkConfiguration?.[`${key}.limit-factor`]) ?? '1';
  const amount =
    said((spec) => spec[component]?.resource?.cpu) ??
    Number(said((spec) => spec.flinkConfiguration?.[`${key}.amount`]) ?? 1);
  return Math.round(amount * Number(factor) * 100) / 100;
}
