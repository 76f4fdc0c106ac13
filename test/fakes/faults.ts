import { DispatchError } from '../../lib/core/errors.ts';

/**
 * What a test wants to go wrong, by method name; each entry is used up once. `before`: nothing happened. `after`: it
 * happened, and the answer was lost.
 */
export class Faults<Method extends string> {
  private readonly planned: { method: Method; when: 'before' | 'after'; error: Error }[] = [];

  plan(method: Method, when: 'before' | 'after', error: Error = lost(method)): void {
    this.planned.push({ method, when, error });
  }

  async around<T>(method: Method, work: () => T | Promise<T>): Promise<T> {
    this.meet(method, 'before');
    const result = await work();
    this.meet(method, 'after');
    return result;
  }

  private meet(method: Method, when: 'before' | 'after'): void {
    const index = this.planned.findIndex((fault) => fault.method === method && fault.when === when);
    const [fault] = index === -1 ? [] : this.planned.splice(index, 1);
    if (fault !== undefined) throw fault.error;
  }
}

function lost(method: string): DispatchError {
  return new DispatchError('StorageUnavailable', `${method}: the answer was lost (test)`);
}
