/** Shows a person what takes its time. */
export interface Progress {
  /** Runs `work` under a title; `detail` replaces what is said beside the title. */
  stage<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
}

export const silent: Progress = {
  stage: (_title, work) => work(() => undefined),
};
