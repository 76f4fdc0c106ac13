import { join } from 'node:path';

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * A pod's folder on this machine and the paths of the image that lead into it. Without a file system of its own a
 * process finds them by text: each path in a command, a variable or a mounted ConfigMap is written anew.
 */
export class PodPaths {
  readonly home: string;
  readonly root: string;
  readonly #pattern: RegExp;

  constructor(home: string, imagePaths: readonly string[]) {
    this.home = home;
    this.root = join(home, 'root');
    const longestFirst = [...new Set(imagePaths)].sort((a, b) => b.length - a.length);
    // Preceded by no path or host (`s3://opt/flink` is none of ours, `local:///opt/flink` is), followed by an end.
    this.#pattern = new RegExp(`((?<![\\w./~-])|(?<=:\\/\\/))(${longestFirst.map(escape).join('|')})(?![\\w.-])`, 'g');
  }

  /** Where a path of the image is on this machine. */
  at(imagePath: string): string {
    return join(this.root, imagePath);
  }

  map(text: string): string {
    return text.replace(this.#pattern, (path) => this.at(path));
  }

  volume(name: string): string {
    return join(this.home, 'volumes', name);
  }

  log(container: string, attempt: number): string {
    return join(this.home, 'logs', `${container}.${String(attempt)}.log`);
  }
}

/** Writes paths of this machine's pod folders back to paths of the image, anywhere in an object. */
export function toImagePaths<T>(podsFolder: string, value: T): T {
  const text = JSON.stringify(value);
  if (!text.includes(podsFolder)) return value;
  return JSON.parse(text.replace(new RegExp(`${escape(podsFolder)}/[^/"]+/root(?=/)`, 'g'), '')) as T;
}
