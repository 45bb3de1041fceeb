package universality.report;

/** A section of the page. */
interface Section {
    /** Its anchor. */
    String id();

    /** Its heading. */
    String title();

    /** Writes what is below the heading; where its stage has no results, one line that says why. */
    void write(Page page, Markup out);

    /** The line for a section without results. */
    static void absent(Markup out, String reason) {
        out.element("p", reason, "class", "absent").line();
    }
}
