package universality.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import universality.data.Build;
import universality.data.Digests;
import universality.data.OutputFolder;
import universality.data.ToolException;
import universality.report.Results.Folder;

/**
 * The stage {@code report}: one HTML file that shows a study and needs nothing else, least of all a network. Its content
 * security policy allows the one script and the two style sheets that it holds, by their digests, and nothing else, so text
 * of unknown origin could do no harm even if it slipped through {@link Markup}.
 *
 * <p>Every section is drawn from the tables of the results; a stage that is absent is said to be. What is drawn is bounded
 * (points on a grid, curves by stretches, the strongest neurons), so the page stays light for any size of study.
 */
public final class Report {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{([a-z]+)}}");
    private static final long DOWNLOAD_BYTES = 6L << 20;

    private Report() {}

    /**
     * Writes {@code index.html} and {@code figures/*.svg} into {@code out}, which the caller commits.
     *
     * @param results the results folder, {@code DIR/STAGE/ID/…}
     * @return lines on what the page leaves out for its size
     * @throws ToolException if the folder holds no results, or some that are damaged or do not belong together
     */
    public static List<String> write(Path results, OutputFolder out) throws IOException {
        return write(results, out, DOWNLOAD_BYTES);
    }

    /** {@link #write(Path, OutputFolder)} with at most {@code downloadBytes} of tables inside the page. */
    static List<String> write(Path results, OutputFolder out, long downloadBytes) throws IOException {
        Study study = Study.of(Results.scan(results));
        for (Folder folder : study.results().folders()) {
            out.input(folder.manifest().stage(), folder.manifest());
        }
        Page page = new Page(study);
        String html = html(page, downloadBytes);
        Files.writeString(out.file("index.html"), html, StandardCharsets.UTF_8);
        String style = "<style>" + resource("palette.css") + resource("figure.css") + "</style>";
        for (Map.Entry<String, String> figure : page.figures().entrySet()) {
            String svg = figure.getValue();
            int body = svg.indexOf('>') + 1;
            Files.writeString(
                    out.file("figures/" + figure.getKey() + ".svg"),
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + svg.substring(0, body) + style
                            + svg.substring(body) + "\n",
                    StandardCharsets.UTF_8);
        }
        page.warnings().forEach(out::warning);
        out.count("figures", page.figures().size());
        return page.warnings();
    }

    private static List<Section> sections(Study study, long downloadBytes) {
        if (!study.results().of("sweep").isEmpty()) {
            // what each combination found is in a page of its own
            return List.of(
                    new SweepSection(), new OverviewSection(), new LossSection(), new DownloadSection(downloadBytes));
        }
        return List.of(
                new OverviewSection(),
                new EmergenceSection(),
                new ScatterSection(),
                new LayerSection(),
                new PersistenceSection(),
                new LossSection(),
                new AblationSection(),
                new NeuronSection(),
                new DownloadSection(downloadBytes));
    }

    private static String html(Page page, long downloadBytes) {
        Markup navigation = new Markup();
        Markup body = new Markup();
        for (Section section : sections(page.study(), downloadBytes)) {
            navigation
                    .open("li")
                    .element("a", section.title(), "href", "#" + section.id())
                    .close();
            body.open("section", "id", section.id(), "aria-labelledby", section.id() + "-title");
            body.element("h2", section.title(), "id", section.id() + "-title").line();
            section.write(page, body);
            body.close("section").line();
        }
        String families =
                page.study().families().stream().map(Study.Family::name).collect(Collectors.joining(", "));
        String figureStyle = "\n" + resource("palette.css") + resource("figure.css");
        String pageStyle = "\n" + resource("page.css") + switches();
        String script = "\n" + resource("page.js");
        Map<String, String> values = new LinkedHashMap<>();
        values.put("policy", policy(script, figureStyle, pageStyle));
        values.put("title", escaped(families.isEmpty() ? "Universal neurons" : "Universal neurons: " + families));
        values.put("figurestyle", figureStyle);
        values.put("pagestyle", pageStyle);
        values.put("script", script);
        values.put("navigation", navigation.toString());
        values.put("headline", Headline.of(page.study()).toString());
        values.put("body", body.toString());
        values.put("version", escaped(Build.version()));
        return fill(resource("index.html"), values);
    }

    private static String escaped(String text) {
        return new Markup().text(text).toString();
    }

    /** Fills the template in one pass, so that braces in the content stay what they are. */
    private static String fill(String template, Map<String, String> values) {
        Matcher matcher = PLACEHOLDER.matcher(template);
        StringBuilder out = new StringBuilder();
        while (matcher.find()) {
            matcher.appendReplacement(out, "");
            out.append(values.get(matcher.group(1)));
        }
        return matcher.appendTail(out).toString();
    }

    private static String policy(String script, String... styles) {
        String hashes = List.of(styles).stream().map(Report::hash).collect(Collectors.joining(" "));
        return "default-src 'none'; script-src " + hash(script) + "; style-src " + hashes
                + "; img-src data:; base-uri 'none'; form-action 'none'";
    }

    private static String hash(String text) {
        byte[] digest = Digests.sha256().digest(text.getBytes(StandardCharsets.UTF_8));
        return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    }

    /** Shows the n-th view of a switch while its n-th button is checked. */
    private static String switches() {
        StringBuilder selectors = new StringBuilder();
        for (int i = 1; i <= Page.MOST_VIEWS; i++) {
            selectors
                    .append(i == 1 ? "" : ",\n")
                    .append(".switch > input:nth-of-type(")
                    .append(i)
                    .append("):checked ~ .views > .view:nth-child(")
                    .append(i)
                    .append(")");
        }
        return selectors + " { display: block; }\n";
    }

    private static String resource(String name) {
        try (InputStream in = Report.class.getResourceAsStream("/report/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
