package unit.report

import java.util.regex.Matcher

/** Text of a page, or of a part of it, that does not print itself when a condition fails. */
class Html {
    final String text

    Html(String text) { this.text = text }

    boolean contains(String part) { text.contains(part) }

    Matcher find(String pattern) { text =~ pattern }

    int count(String pattern) { (text =~ pattern).size() }

    boolean has(String pattern) { (text =~ pattern).find() }

    /** The section with this id. */
    Html section(String id) { between("<section id=\"${id}\"", '</section>') }

    Html between(String from, String to) {
        int start = text.indexOf(from)
        assert start >= 0: "no ${from}"
        new Html(text.substring(start, text.indexOf(to, start)))
    }

    /** Exact values of the number cells of the last row that starts with these cells, in the first table with this caption. */
    List<Double> cells(String caption, String... first) {
        List<List> rows = between("<caption>${caption}</caption>", '</table>').text.split('<tr>').collect { row ->
            (row =~ /<t[hd]([^>]*)>([^<]*)<\/t[hd]>/).collect { [it[1], it[2]] }
        }
        List row = rows.findAll { it.take(first.length)*.get(1) == first as List }.with { it ? it.last() : null }
        assert row != null: "no row ${first} in ${caption}"
        row.findAll { it[0].contains('class="number"') && !it[0].contains('scope') }.collect {
            Matcher value = it[0] =~ /data-value="([^"]*)"/
            value.find() ? value.group(1) as double : Double.NaN
        }
    }

    boolean equals(Object other) { other instanceof Html && other.text == text }

    int hashCode() { text.hashCode() }

    String toString() { "${text.length()} characters" }
}
