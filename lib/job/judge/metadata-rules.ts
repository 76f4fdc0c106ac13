import { MANAGED_LABEL, OWN_PREFIX } from '../own-marks.ts';
import { matchesKey } from '../policy/names.ts';
import { fields, keyed, plain } from './rules.ts';

/** By which Flink, Services, the sweeper and people find what belongs to a run. */
const OWN = new Set(['app', 'component', 'type', MANAGED_LABEL]);

const isOwn = (key: string): boolean => OWN.has(key) || key.startsWith(OWN_PREFIX);

export const labels = keyed('allow.labels', (key, allow) => !isOwn(key) && matchesKey(allow.labels, key));
export const annotations = keyed(
  'allow.annotations',
  (key, allow) => !isOwn(key) && matchesKey(allow.annotations, key),
);

/** Of built objects: nothing of a template's metadata comes into them but these. */
export const objectMetadata = fields({ labels, annotations });

/** Of a template as its author wrote it: what names the file itself is read by nobody. */
export const templateMetadata = fields({
  labels,
  annotations,
  name: plain,
  namespace: plain,
  creationTimestamp: plain,
});
