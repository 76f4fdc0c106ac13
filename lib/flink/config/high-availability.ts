import { FLINK } from '../options/flink.ts';
import { FlinkConfiguration } from './configuration.ts';

/** HighAvailabilityMode.isHighAvailabilityModeActivated: `standalone` is the older word for none; all else is some. */
export function isHighlyAvailable(configuration: FlinkConfiguration): boolean {
  return !['none', 'standalone'].includes(configuration.get(FLINK.highAvailability).toLowerCase());
}

/** The same of flat options as somebody wrote them, under each name that Flink reads. Values that are no text are not. */
export function asksForHighAvailability(options: Readonly<Record<string, unknown>>): boolean {
  const texts = Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return isHighlyAvailable(new FlinkConfiguration(true, texts));
}
