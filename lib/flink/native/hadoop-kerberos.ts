import { basename } from 'node:path/posix';
import { DispatchError } from '../../core/errors.ts';
import { FLINK } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import { configMapVolume } from './config-maps.ts';
import type { Decorator } from './decorator.ts';
import { addToPod } from './flink-pod.ts';

const HADOOP_VOLUME = 'hadoop-config-volume';
const HADOOP_DIR = '/opt/hadoop/conf';
const KRB5_VOLUME = 'kerberos-krb5conf-volume';

/**
 * HadoopConfMountDecorator for a ConfigMap that exists. HADOOP_CONF_DIR and HADOOP_HOME of the caller's machine are not
 * looked at: a function has neither.
 */
export const hadoopConf: Decorator = {
  decorate(pod, { configuration }) {
    const name = configuration.getOptional(K.hadoopConfigMap)?.trim() ?? '';
    if (name === '' || !configuration.get(K.hadoopMount)) return pod;
    return addToPod(pod, {
      volumes: [configMapVolume(HADOOP_VOLUME, name)],
      mounts: [{ name: HADOOP_VOLUME, mountPath: HADOOP_DIR }],
      env: [{ name: 'HADOOP_CONF_DIR', value: HADOOP_DIR }],
    });
  },
};

/**
 * KerberosMountDecorator where it needs no file of the caller's machine: krb5.conf is expected in the ConfigMap
 * `kerberos-krb5conf-<cluster-id>`, as the client leaves it when it does not find the file. A keytab would have to be
 * uploaded, and is refused as the client refuses one that it does not find.
 */
export const kerberos: Decorator = {
  decorate(pod, { configuration, clusterId }) {
    if (!configuration.get(K.kerberosMount)) return pod;
    for (const one of [FLINK.keytab, FLINK.principal]) {
      const value = configuration.getOptional(one) ?? '';
      if (value.trim() === '') continue;
      const key = configuration.keyOf(one) ?? one.key;
      throw new DispatchError(
        'InvalidConfiguration',
        `${key} '${value}': keytabs are not uploaded; mount a Secret by ${K.secrets.key} and set ${K.kerberosMount.key}=false`,
        { field: key },
      );
    }
    const path = configuration.getOptional(FLINK.krb5Conf) ?? '';
    if (path.trim() === '') return pod;
    const items = [{ key: basename(path), path: 'krb5.conf' }];
    return addToPod(pod, {
      volumes: [configMapVolume(KRB5_VOLUME, `kerberos-krb5conf-${clusterId}`, items)],
      mounts: [{ name: KRB5_VOLUME, mountPath: '/etc/krb5.conf', subPath: 'krb5.conf' }],
    });
  },
};
