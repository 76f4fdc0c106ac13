import { createHash } from 'node:crypto';

/** What stands for a container image: a Flink distribution, or (empty) the programs of this machine. */
export interface Image {
  readonly flinkHome?: string;
  /** The image's Java, as a JAVA_HOME of this machine; default: that of this process. */
  readonly javaHome?: string;
  /** More files of the image: its paths, and where they are on this machine. */
  readonly files?: Readonly<Record<string, string>>;
}

export type Images = Readonly<Record<string, Image>>;

function canonical(name: string): string {
  const short = name.replace(/^docker\.io\//, '').replace(/^library\//, '');
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`;
}

/**
 * As a node reports what it runs, with a digest by which the same image is found again. What stands for an image has no bytes of
 * its own: the digest is that of its name.
 */
export function imageIdOf(name: string): string {
  const known = canonical(name);
  if (known.includes('@')) return `docker.io/library/${known}`;
  const digest = createHash('sha256').update(known).digest('hex');
  return `docker.io/library/${known.replace(/:[^/:]*$/, '')}@sha256:${digest}`;
}

/** The table's entry for an image's name or digest; `docker.io/library/` and a missing `:latest` make no difference. */
export function findImage(images: Images, name: string): Image | undefined {
  const wanted = canonical(name);
  const isWanted = (known: string): boolean => canonical(known) === wanted || imageIdOf(known) === imageIdOf(wanted);
  return Object.entries(images).find(([known]) => isWanted(known))?.[1];
}
