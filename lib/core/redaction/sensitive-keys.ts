/**
 * Which names belong to secrets: those that Flink hides in its own logs and REST answers
 * (org.apache.flink.configuration.GlobalConfiguration, SENSITIVE_KEYS), and more of the cloud and of HTTP.
 */
const FLINK = [
  'password',
  'secret',
  'fs.azure.account.key',
  'apikey',
  'api-key',
  'auth-params',
  'service-key',
  'token',
  'basic-auth',
  'jaas.config',
  'http-headers',
];

/** Compared without separators, so that `access.key`, `access-key` and `accessKey` are one. */
const MORE = [
  'passwd',
  'passphrase',
  'apikey',
  'accesskey',
  'privatekey',
  'accountkey',
  'authorization',
  'xamzsignature',
];
const MORE_EXACT = new Set(['cookie', 'setcookie', 'xamzcredential', 'sig', 'pwd']);

/** Names of things that are no secret themselves, though they have the word. */
const NO_SECRET = new Set([
  'secretname',
  'secretkeyref',
  'secretref',
  'imagepullsecrets',
  'kubernetessecrets',
  'kubernetesenvsecretkeyref',
  'kubernetescontainerimagepullsecrets',
  'serviceaccounttoken',
  'automountserviceaccounttoken',
]);

export function isSensitiveKey(key: string): boolean {
  const lower = key.toLowerCase();
  const plain = lower.replace(/[^a-z0-9]/g, '');
  if (NO_SECRET.has(plain)) return false;
  return (
    FLINK.some((word) => lower.includes(word)) || MORE.some((word) => plain.includes(word)) || MORE_EXACT.has(plain)
  );
}
