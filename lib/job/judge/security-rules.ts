import { fields, items, only, plain, refuse, type Rule } from './rules.ts';

/** Anyone but root; groups, too: files of the node and of images are often the root group's. */
const notRoot: Rule = (value, place) =>
  typeof value === 'number' && Number.isInteger(value) && value > 0
    ? []
    : refuse(place, `${String(value)} is not allowed: it must be a number from 1 (allow.podTemplates)`);

const groups: Rule = items(notRoot);

const common = {
  runAsUser: notRoot,
  runAsGroup: notRoot,
  runAsNonRoot: only(true),
  seccompProfile: fields({ type: only('RuntimeDefault') }),
};

export const podSecurity = fields({
  ...common,
  fsGroup: notRoot,
  fsGroupChangePolicy: plain,
  supplementalGroups: groups,
});

export const containerSecurity = fields({
  ...common,
  readOnlyRootFilesystem: plain,
  allowPrivilegeEscalation: only(false),
  privileged: only(false),
  capabilities: fields({ drop: plain }),
});
