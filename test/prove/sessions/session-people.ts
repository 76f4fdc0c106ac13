import { sha256Hex } from '../../../lib/core/ids.ts';
import type { Program } from '../servers/flink.ts';
import type { Kubernetes } from '../servers/kubernetes.ts';
import type { SessionFlink } from './session-flink.ts';
import type { SessionProcess } from './session-jobs.ts';
import { THEIRS } from './session-workload.ts';
import type { Simulation } from '../simulation.ts';

/** Who made `theirs`, and who submits jobs to sessions by hand. */
export const OWNER = 'session owner';
/** Jobs by hand, in a world. */
const MOST_JOBS = 3;
const ANEW = 2;

/** Others who use sessions beside the product. */
export class SessionPeople {
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;
  private readonly flink: SessionFlink;
  private jobs = 0;
  private made = 0;

  constructor(sim: Simulation, kubernetes: Kubernetes, flink: SessionFlink) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    this.flink = flink;
    flink.processes.onProcess = (process) => this.useLater(process);
    kubernetes.watchers.push({
      created: () => undefined,
      deleted: () => undefined,
      gone: ({ kind, name }) => {
        if (kind === 'Deployment' && name === THEIRS) this.makeLater();
      },
    });
  }

  /** The session that is there already, or in a moment. */
  begin(): void {
    if (this.sim.draws.chance('theirs stands', 0.7)) this.make();
    else this.makeLater();
  }

  private makeLater(): void {
    if (this.made >= ANEW) return;
    this.sim.after(this.sim.draws.between(`theirs ${this.made}`, 500, 20_000), () => this.make());
  }

  private make(): void {
    if (this.kubernetes.find('Deployment', THEIRS) !== undefined) return;
    this.made += 1;
    this.sim.tell(OWNER, `makes session ${THEIRS}`);
    const labels = { app: THEIRS, type: 'flink-native-kubernetes', component: 'jobmanager' };
    const template = { metadata: { labels }, spec: { containers: [] } };
    const deployment = {
      kind: 'Deployment',
      metadata: { name: THEIRS, namespace: 'flink', labels },
      spec: { template },
    };
    this.kubernetes.add(deployment, OWNER);
  }

  private useLater(process: SessionProcess): void {
    const { draws } = this.sim;
    if (this.jobs >= MOST_JOBS || !draws.chance(`by hand in ${process.name}`, 0.4)) return;
    this.jobs += 1;
    const jobId = sha256Hex(`by hand ${this.jobs}`).slice(0, 32);
    const lasts = draws.between(`by hand ${this.jobs} lasts`, 1_000, 60_000);
    const program: Program = { restAfter: 0, runsAfter: 200, endsAfter: lasts, end: 'FINISHED' };
    this.sim.after(process.restAfter + draws.between(`by hand ${this.jobs} at`, 0, 30_000), () => {
      if (this.flink.processes.standing(process.clusterId) !== process) return;
      this.flink.addForeign(process, jobId, program);
    });
  }
}
