package universality.report;

import java.util.List;

/** An HTML table whose columns can be sorted; cells keep the exact value beside the rounded one. */
final class TableView {
    private static final int LONGEST_ON_ONE_LINE = 32;

    private final Markup out = new Markup();
    private boolean inRow;

    /** Starts a table with this caption and these column heads. */
    TableView(String caption, List<String> heads) {
        out.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", caption);
        out.open("table", "class", "data sortable");
        out.element("caption", caption);
        out.open("thead").open("tr");
        heads.forEach(head -> out.element("th", head, "scope", "col"));
        out.close().close().open("tbody");
    }

    /** Starts the next row. */
    TableView row() {
        if (inRow) {
            out.close("tr");
        }
        inRow = true;
        out.open("tr");
        return this;
    }

    TableView head(String text) {
        out.element("th", text, "scope", "row");
        return this;
    }

    TableView head(long number) {
        out.element("th", Format.count(number), "scope", "row", "class", "number", "data-value", Long.toString(number));
        return this;
    }

    TableView text(String text) {
        boolean wrap = text != null && text.length() > LONGEST_ON_ONE_LINE;
        out.element("td", text == null ? Format.UNDEFINED : text, "class", wrap ? "wrap" : null);
        return this;
    }

    /** A digest or other long word, in a fixed-width face. */
    TableView code(String text) {
        out.open("td").element("code", text).close();
        return this;
    }

    TableView count(long value) {
        return value(value, Format.count(value));
    }

    TableView percent(double fraction) {
        return value(fraction, Format.percent(fraction));
    }

    TableView fixed(double value, int digits) {
        return value(value, Format.fixed(value, digits));
    }

    TableView significant(double value) {
        return value(value, Format.significant(value));
    }

    /** A number written as {@code text}, sorted by its exact value. */
    TableView value(double exact, String text) {
        out.element("td", text, "class", "number", "data-value", Format.exact(exact));
        return this;
    }

    /** Markup as a cell. */
    TableView cell(Markup content) {
        out.open("td").add(content).close();
        return this;
    }

    Markup end() {
        if (inRow) {
            out.close("tr");
        }
        return out.close("tbody").close("table").close("div").line();
    }
}
