package universality.report;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the sections share while the page is written: the study, the figures so far, and unique names. Not thread-safe. */
final class Page {
    /** Most views of one switch. */
    static final int MOST_VIEWS = 40;

    private final Study study;
    private final SortedMap<String, String> figures = new TreeMap<>();
    private final List<String> warnings = new ArrayList<>();
    private int switches;

    Page(Study study) {
        this.study = study;
    }

    Study study() {
        return study;
    }

    /** Finished figures, name → SVG; they are also written as files. */
    SortedMap<String, String> figures() {
        return figures;
    }

    /** Lines for the manifest: what the report leaves out, and why. */
    List<String> warnings() {
        return warnings;
    }

    /** Records something that is left out. */
    void warn(String line) {
        warnings.add(line);
    }

    /** A file name for a figure: {@code parts} joined by {@code -}, made unique. */
    String figureName(Object... parts) {
        List<String> words = new ArrayList<>();
        for (Object part : parts) {
            words.add(Format.slug(part.toString()));
        }
        String name = String.join("-", words);
        String unique = name;
        for (int i = 2; figures.containsKey(unique); i++) {
            unique = name + "-" + i;
        }
        return unique;
    }

    /** Ends {@code chart}, records it and gives the {@code <figure>} with its caption. */
    Markup figure(Chart chart, String caption) {
        Markup svg = chart.end();
        figures.put(chart.name(), svg.toString());
        Markup out = new Markup();
        out.open("figure", "class", "figure");
        out.open("div", "class", "scroll", "tabindex", "0", "role", "group", "aria-label", "Figure: " + chart.name());
        out.add(svg).close();
        out.open("figcaption").text(caption).text(" ");
        out.element("button", "Save SVG", "type", "button", "class", "save", "data-figure", chart.name(), "hidden", "");
        return out.close().close().line();
    }

    /** Views of which one is shown at a time, chosen by radio buttons: works without script and by keyboard. */
    final class Switch {
        private final String name = "view" + ++switches;
        private final List<String> labels = new ArrayList<>();
        private final List<Markup> views = new ArrayList<>();
        private final String legend;
        private int chosen;

        Switch(String legend) {
            this.legend = legend;
        }

        Switch view(String label, Markup content) {
            labels.add(label);
            views.add(content);
            return this;
        }

        /** Makes the last view added the one shown first. */
        Switch choose() {
            chosen = views.size() - 1;
            return this;
        }

        /** Whether another view may be added: the style sheet has a rule for each of {@link Page#MOST_VIEWS}. */
        boolean room() {
            return views.size() < MOST_VIEWS;
        }

        Markup end() {
            Markup out = new Markup();
            if (views.size() == 1) {
                return out.add(views.get(0));
            }
            out.open("div", "class", "switch", "role", "group", "aria-label", legend);
            out.element("span", legend, "class", "legend");
            for (int i = 0; i < views.size(); i++) {
                String id = name + "-" + i;
                out.empty("input", "type", "radio", "name", name, "id", id, "checked", i == chosen ? "" : null);
                out.element("label", labels.get(i), "for", id);
            }
            out.open("div", "class", "views");
            for (Markup view : views) {
                out.open("div", "class", "view").add(view).close();
            }
            return out.close().close().line();
        }
    }
}
