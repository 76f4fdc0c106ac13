/** The label by which the sweeper finds Deployments of this product, and the prefix of its other marks. */
export const MANAGED_LABEL = 'app.kubernetes.io/managed-by';
export const OWN_PREFIX = 'flink-dispatch.io/';
