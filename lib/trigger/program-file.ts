/** What uploaded files end with that become runs: jars, SQL scripts, Python programs. The template's bucket tells of the same. */
export const PROGRAM_ENDINGS = ['.jar', '.sql', '.py'] as const;

export function isProgramFile(key: string): boolean {
  const name = key.toLowerCase();
  return PROGRAM_ENDINGS.some((ending) => name.endsWith(ending));
}
