import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Outlives this process by a moment: when its input ends, however that came about, it kills the process groups it was
 * told of and removes the pods' folder.
 */
const SCRIPT = `
groups=' '
while read -r operation group; do
  case $operation in
    add) groups="$groups$group " ;;
    drop) groups="\${groups/ $group / }" ;;
    end) break ;;
  esac
done
for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done
[ "$operation" = end ] || { sleep 0.2; rm -rf -- "$PODS_FOLDER"; }
`;

export class Reaper {
  readonly #child: ChildProcess;

  constructor(podsFolder: string) {
    this.#child = spawn('bash', ['-c', SCRIPT, 'pod-reaper'], {
      env: { ...process.env, PODS_FOLDER: podsFolder },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#child.stdin?.on('error', () => undefined);
  }

  add(group: number): void {
    this.#child.stdin?.write(`add ${String(group)}\n`);
  }

  drop(group: number): void {
    this.#child.stdin?.write(`drop ${String(group)}\n`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end('end\n');
    await ended;
  }
}
