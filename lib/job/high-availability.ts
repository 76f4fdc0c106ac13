/** Whether a job's options ask for high availability; both names of the option, as Flink reads them. */
export function hasHighAvailability(options: Readonly<Record<string, string>>): boolean {
  const type = options['high-availability.type'] ?? options['high-availability'] ?? 'none';
  return type.toLowerCase() !== 'none';
}
