// Stands for undici in bundles: the Kubernetes client's reader of kubeconfigs imports it for requests with `fetch`, which
// nothing here makes (lib/kubernetes/api speaks node:https). It is 700 KB.
function unused() {
  throw new Error('undici is not in this bundle (infra/bundling.mjs)');
}

export { unused as Agent, unused as ProxyAgent, unused as fetch };
