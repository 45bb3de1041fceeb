package universality.verify;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was found. Equal results give equal reports: no path of the machine and no time is in it.
 *
 * @param mode {@code verify} for one folder, {@code compare} for two
 * @param files how many were looked at (of two folders, names that are in either)
 * @param bytes how much was read of the first folder
 * @param leftOut files that hold times and hosts, or were excluded
 * @param findings everything that is wrong, sorted by path
 * @param within files that differ, but by no more than is tolerated
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({"mode", "sound", "files", "bytes", "left_out", "tolerance", "findings", "within_tolerance"})
public record Report(
        String mode,
        int files,
        long bytes,
        @JsonProperty("left_out") int leftOut,
        Tolerance tolerance,
        List<Finding> findings,
        @JsonProperty("within_tolerance") List<Finding> within) {

    /** Whether nothing is wrong. */
    @JsonProperty("sound")
    public boolean sound() {
        return findings.isEmpty();
    }

    /** The last line of the answer. */
    public String summary() {
        List<String> parts = new ArrayList<>();
        if (sound()) {
            parts.add(count(files, "file")
                    + String.format(Locale.ROOT, ", %d bytes", bytes)
                    + (mode.equals("verify") ? ": all as their manifests say" : ": " + sameness()));
        } else {
            Map<Finding.Kind, Integer> kinds = new EnumMap<>(Finding.Kind.class);
            findings.forEach(finding -> kinds.merge(finding.kind(), 1, Integer::sum));
            List<String> found = new ArrayList<>();
            kinds.forEach((kind, count) -> found.add(count + " " + kind.words()));
            parts.add("of " + count(files, "file") + " " + String.join(", ", found));
            if (!within.isEmpty()) {
                parts.add(within.size() + " within the tolerance");
            }
        }
        if (leftOut > 0) {
            parts.add(count(leftOut, "file") + " left out (times, hosts, --exclude)");
        }
        return String.join("; ", parts);
    }

    private String sameness() {
        if (within.isEmpty()) {
            return "the same bytes";
        }
        double most = within.stream()
                .flatMap(finding -> finding.differences().stream())
                .mapToDouble(difference -> difference.absolute() == null ? 0 : difference.absolute())
                .max()
                .orElse(0);
        return String.format(Locale.ROOT, "%d differ within the tolerance, by at most %.3g", within.size(), most);
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }
}
