import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { AllowList } from '../config/dispatch-config.ts';
import { hasContainers, writtenTemplate } from '../judge/pod-rules.ts';
import { closedVolumes } from '../judge/volume-rules.ts';
import type { Refusal } from './refusal.ts';

/**
 * What the rules refuse of one template as its author wrote it: its fields have better names than those of the objects,
 * which are judged afterwards by the same rules.
 * @param base the deployment's own template in the same place
 */
export function checkPodTemplate(
  template: V1PodTemplateSpec,
  field: string,
  allow: AllowList,
  base: V1PodTemplateSpec | undefined,
): readonly Refusal[] {
  if (allow.podTemplates === 'any') return [];
  if (allow.podTemplates === 'none') return [{ field, message: 'pod templates are not allowed (allow.podTemplates)' }];
  const context = {
    allow,
    own: new Set<string>(),
    closedVolumes: new Set<string>(),
    hasOwnContainers: hasContainers(base?.spec),
    finished: false,
  };
  const place = { path: field, base, context };
  const closed = closedVolumes(base?.spec?.volumes, place);
  return writtenTemplate(template, { ...place, context: { ...context, closedVolumes: closed } });
}
