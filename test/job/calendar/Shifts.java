import java.time.*;
import java.time.zone.*;
import java.util.*;

/**
 * What java.time makes of a day's shift at every change of a zone's offset. One line for each zone and change: the zone, the
 * change (epoch seconds), then for shifts that land on both edges and in the middle of it, by -1 and +1 day, the results
 * relative to the start. Run by `java Shifts.java > shifts.txt`.
 */
public final class Shifts {
    public static void main(String[] args) {
        Instant from = Instant.parse("2016-01-01T00:00:00Z");
        Instant to = Instant.parse("2036-01-01T00:00:00Z");
        for (String id : new TreeSet<>(ZoneId.getAvailableZoneIds())) {
            if (!id.contains("/") || id.startsWith("Etc/") || id.startsWith("SystemV/")) continue;
            ZoneRules rules = ZoneId.of(id).getRules();
            StringBuilder line = new StringBuilder();
            ZoneOffsetTransition change = rules.nextTransition(from);
            for (; change != null && change.getInstant().isBefore(to); change = rules.nextTransition(change.getInstant())) {
                long half = change.getDuration().abs().getSeconds() / 2;
                for (int days : new int[] {-1, 1}) {
                    for (long around : new long[] {-half - 60, -half, -60, 0, half, half + 60}) {
                        ZonedDateTime start = change.getInstant().plusSeconds(around).atZone(ZoneId.of(id)).plusDays(-days);
                        ZonedDateTime end = start.plusDays(days);
                        line.append(' ').append(start.toEpochSecond()).append(',').append(days).append(',')
                            .append(end.toEpochSecond() - start.toEpochSecond());
                    }
                }
            }
            if (line.length() > 0) System.out.println(id + line);
        }
    }
}
