package universality.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Names of lines, written beside their right ends and moved apart where they would overlap: nobody looks up a legend. */
final class LineLabels {
    private static final int GAP = 17;

    private record Label(String text, double y, String classes) {}

    private final List<Label> labels = new ArrayList<>();

    /** Adds a name at the pixel height of its line's end. */
    LineLabels add(String text, double y, String classes) {
        labels.add(new Label(text, y, classes));
        return this;
    }

    /** Writes the names at {@code x}, between the pixel heights {@code top} and {@code bottom}. */
    void draw(Chart chart, double x, double top, double bottom) {
        labels.sort(Comparator.comparingDouble(Label::y));
        double[] at = new double[labels.size()];
        double free = top;
        for (int i = 0; i < at.length; i++) {
            at[i] = Math.max(free, labels.get(i).y());
            free = at[i] + GAP;
        }
        double limit = bottom + 4;
        for (int i = at.length - 1; i >= 0; i--) {
            at[i] = Math.min(at[i], limit);
            limit = at[i] - GAP;
        }
        for (int i = 0; i < at.length; i++) {
            chart.text(x, at[i] + 4, labels.get(i).text(), labels.get(i).classes());
        }
    }
}
