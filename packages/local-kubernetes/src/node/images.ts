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

/** The table's entry for an image name; `docker.io/library/` and a missing `:latest` make no difference. */
export function findImage(images: Images, name: string): Image | undefined {
  const wanted = canonical(name);
  return Object.entries(images).find(([known]) => canonical(known) === wanted)?.[1];
}
