package nf.universality;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import universality.data.Manifest;

/**
 * {@code ro-crate-metadata.json}: the run as a Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5), which is an
 * RO-Crate 1.1. The results' folder is the crate; what of it was published is data, everything else is described by digest.
 */
final class Crate {
    static final String NAME = "ro-crate-metadata.json";

    private static final String RO_CRATE = "https://w3id.org/ro/crate/1.1";
    private static final String WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0";
    private static final String RUN_PROFILES = "https://w3id.org/ro/wfrun/";
    private static final String NEXTFLOW_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#nextflow";
    private static final String NEXTFLOW = "https://www.nextflow.io/";
    private static final String ROOT = "./";
    private static final String RUN = "#run";
    private static final String ENGINE = "#engine";
    private static final String AGENT = "#agent";
    /** What stands for itself in the path of an address (RFC 3986), but for the colon: in a first segment it ends a scheme. */
    private static final String PLAIN =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=@/";

    private final Run run;
    private final List<Attempt> attempts;
    private final List<Result> results;
    private final Map<Attempt, List<Result>> made;
    private final Origins origins;
    private final String script;
    private final ToLongFunction<String> sizes;

    /** Every entity by its id, in the order in which they were described. */
    private final Map<String, Map<String, Object>> graph = new LinkedHashMap<>();
    /** Results to their entities. */
    private final Map<Result, String> places = new IdentityHashMap<>();

    /**
     * @param script where the main script lies in the crate, or null
     * @param sizes bytes of a file of the crate by its path, negative where it is absent
     */
    Crate(
            Run run,
            List<Attempt> attempts,
            List<Result> results,
            Origins origins,
            String script,
            ToLongFunction<String> sizes) {
        this.run = run;
        this.attempts = attempts;
        this.results = results;
        this.origins = origins;
        this.made = results.stream().collect(Collectors.groupingBy(Result::attempt));
        this.script = script;
        this.sizes = sizes;
    }

    /** All of it, in terms of JSON. */
    Map<String, Object> content() {
        describe(NAME, "CreativeWork");
        Map<String, Object> root = describe(ROOT, "Dataset");
        String workflow = workflow();
        results.forEach(this::result);
        List<String> steps = actions(workflow);
        engine(steps);
        List<String> files = files();
        root(root, workflow, files);
        graph.get(NAME).put("about", reference(ROOT));
        graph.get(NAME).put("conformsTo", references(List.of(RO_CRATE, WORKFLOW_PROFILE)));

        Map<String, Object> content = new LinkedHashMap<>();
        content.put("@context", List.of(RO_CRATE + "/context", "https://w3id.org/ro/terms/workflow-run/context"));
        content.put("@graph", List.copyOf(graph.values()));
        return content;
    }

    private void root(Map<String, Object> root, String workflow, List<String> files) {
        put(root, "name", "Results of " + name());
        String study = run.workflow().description() == null
                ? ""
                : " (" + run.workflow().description() + ")";
        put(
                root,
                "description",
                "What the run '" + run.name() + "' of " + name() + study + " computed, and how it came about. "
                        + "Digests are SHA-256; those of folders are over the paths, sizes and digests of their files.");
        put(root, "datePublished", run.ended().toString());
        put(root, "license", reference(license()));
        put(root, "conformsTo", references(profiles()));
        put(root, "mainEntity", reference(workflow));
        Set<String> parts = new LinkedHashSet<>(List.of(workflow));
        parts.addAll(files);
        results.stream()
                .filter(result -> result.published() != null && result.parent() == null)
                .map(places::get)
                .forEach(parts::add);
        put(root, "hasPart", references(parts));
        List<String> actions = graph.values().stream()
                .filter(entity -> "CreateAction".equals(entity.get("@type")))
                .map(entity -> (String) entity.get("@id"))
                .toList();
        put(root, "mentions", references(actions));
    }

    private String name() {
        return run.workflow().name() == null ? "a workflow" : run.workflow().name();
    }

    private List<String> profiles() {
        List<String> profiles = new ArrayList<>();
        for (String level : List.of("process", "workflow", "provenance")) {
            profiles.add(profile(RUN_PROFILES + level + "/0.5", level, "0.5"));
        }
        Map<String, Object> workflow = describe(WORKFLOW_PROFILE, "CreativeWork");
        put(workflow, "name", "Workflow RO-Crate");
        put(workflow, "version", "1.0");
        profiles.add(WORKFLOW_PROFILE);
        return profiles;
    }

    private String profile(String id, String level, String version) {
        Map<String, Object> profile = describe(id, "CreativeWork");
        put(profile, "name", Character.toUpperCase(level.charAt(0)) + level.substring(1) + " Run Crate");
        put(profile, "version", version);
        return id;
    }

    private String license() {
        String stated = run.license();
        boolean address = stated != null && stated.matches("https?://\\S+");
        String id = address ? uri(stated) : "#license";
        Map<String, Object> license = describe(id, "CreativeWork");
        put(license, "name", stated == null ? "Not stated" : stated);
        put(
                license,
                "description",
                stated == null
                        ? "No licence was stated for these results; provenance.license in the configuration states one."
                        : "Licence of these results: " + stated);
        return id;
    }

    // --- The workflow, its parameters, its tools
    // ----------------------------------------------------------------------

    private String workflow() {
        Run.Workflow source = run.workflow();
        String id = script == null ? "#workflow" : path(script);
        // only what lies in the crate is a file of it
        Map<String, Object> workflow = script == null
                ? describe(id, "SoftwareSourceCode", "ComputationalWorkflow", "HowTo")
                : describe(id, "File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo");
        put(workflow, "name", name());
        put(workflow, "description", source.description());
        put(workflow, "version", source.version());
        put(workflow, "url", source.homePage());
        put(workflow, "codeRepository", source.repository());
        put(workflow, "identifier", source.commit());
        if (source.author() != null) {
            put(describe("#author", "Person"), "name", source.author());
            put(workflow, "author", reference("#author"));
        }
        put(workflow, "sha256", RunRecord.digest(source.script()));
        if (script != null) {
            put(workflow, "encodingFormat", "text/plain");
            put(workflow, "contentSize", size(script));
        }
        put(workflow, "programmingLanguage", reference(language()));
        put(workflow, "input", references(parameters()));
        put(workflow, "hasPart", references(tools()));
        put(workflow, "step", references(steps()));
        return id;
    }

    private String language() {
        Map<String, Object> language = describe(NEXTFLOW_LANGUAGE, "ComputerLanguage");
        put(language, "name", "Nextflow");
        put(language, "identifier", NEXTFLOW);
        put(language, "url", NEXTFLOW);
        put(language, "version", run.engine());
        return NEXTFLOW_LANGUAGE;
    }

    /** Parameters that have a value; a parameter without one is nothing that the run was given. */
    private List<String> parameters() {
        List<String> ids = new ArrayList<>();
        run.parameters().forEach((name, value) -> {
            if (value != null) {
                String id = fragment("parameter", name);
                Map<String, Object> slot = describe(id, "FormalParameter");
                put(slot, "name", name);
                put(slot, "additionalType", type(value));
                put(slot, "conformsTo", reference("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"));
                Map<String, Object> given = describe(id + "/value", "PropertyValue");
                put(given, "name", name);
                put(given, "value", value.toString());
                put(given, "exampleOfWork", reference(id));
                ids.add(id);
            }
        });
        return ids;
    }

    private static String type(Object value) {
        if (value instanceof Boolean) {
            return "Boolean";
        }
        if (value instanceof Map) {
            return "PropertyValue";
        }
        if (value instanceof Number number) {
            return number.doubleValue() == Math.rint(number.doubleValue()) ? "Integer" : "Float";
        }
        return "Text";
    }

    private List<String> processes() {
        return attempts.stream().map(Attempt::process).distinct().toList();
    }

    private List<String> tools() {
        return processes().stream().map(this::tool).toList();
    }

    private String tool(String process) {
        String id = fragment("tool", process);
        Map<String, Object> tool = describe(id, "SoftwareApplication");
        put(tool, "name", process);
        put(tool, "url", run.workflow().homePage());
        results.stream()
                .filter(result -> result.attempt().process().equals(process))
                .findFirst()
                .ifPresent(result -> {
                    put(tool, "name", "universality " + result.manifest().stage());
                    put(tool, "softwareVersion", result.manifest().version());
                    put(tool, "identifier", result.manifest().stageDigest());
                });
        return id;
    }

    private List<String> steps() {
        return processes().stream().map(this::step).toList();
    }

    private String step(String process) {
        String id = fragment("step", process);
        Map<String, Object> step = describe(id, "HowToStep");
        put(step, "name", process);
        put(step, "workExample", reference(fragment("tool", process)));
        return id;
    }

    // --- What was read and written
    // ------------------------------------------------------------------------------------

    private void result(Result result) {
        Manifest manifest = result.manifest();
        boolean data = result.published() != null;
        String id = unused(data ? path(result.published()) + "/" : fragment("result", manifest.stage(), manifest.id()));
        Map<String, Object> entity = describe(id, data ? "Dataset" : "CreativeWork");
        put(entity, "name", manifest.stage() + " " + manifest.id());
        put(
                entity,
                "description",
                data
                        ? manifest.files().size() + " files of the stage " + manifest.stage()
                        : "An intermediate result of the stage " + manifest.stage() + ", which was not published");
        put(entity, "identifier", "sha256:" + result.digest());
        places.put(result, id);
        Map<String, Object> parent = result.parent() == null ? null : graph.get(places.get(result.parent()));
        if (parent != null) {
            List<Object> parts = new ArrayList<>();
            if (parent.get("hasPart") instanceof List<?> before) {
                parts.addAll(before);
            }
            parts.add(reference(id));
            parent.put("hasPart", parts);
        }
    }

    private String unused(String id) {
        String candidate = id;
        for (int copy = 2; graph.containsKey(candidate); copy++) {
            String suffix = "-" + copy;
            candidate = id.endsWith("/") ? id.substring(0, id.length() - 1) + suffix + "/" : id + suffix;
        }
        return candidate;
    }

    /** The entity that an input is, or is a file of; one that no task made is described as what was given. */
    private String input(Manifest.Input input) {
        Result origin = origins.of(input);
        if (origin != null) {
            return places.get(origin);
        }
        String id = fragment("input", input.digest());
        if (graph.containsKey(id)) {
            return id;
        }
        Map<String, Object> entity = describe(id, "CreativeWork");
        put(entity, "name", input.id() == null ? input.role() : input.id());
        put(entity, "description", "An input of the run, as " + input.role());
        put(entity, "identifier", "sha256:" + input.digest());
        return id;
    }

    private List<String> files() {
        List<String> ids = new ArrayList<>();
        file(ids, ProvenanceFiles.RECORD, "application/json", "Record of the run");
        file(ids, ProvenanceFiles.TASKS, "text/csv", "Every try of every task");
        file(ids, ProvenanceFiles.TRACE, "text/tab-separated-values", "Nextflow's trace of the run");
        return ids;
    }

    private void file(List<String> ids, String path, String format, String name) {
        long bytes = sizes.applyAsLong(path);
        if (bytes >= 0) {
            Map<String, Object> file = describe(path, "File");
            put(file, "name", name);
            put(file, "encodingFormat", format);
            put(file, "about", reference(RUN));
            if (!path.equals(ProvenanceFiles.TRACE)) {
                put(file, "contentSize", Long.toString(bytes)); // the trace goes on for a moment
            }
            ids.add(path);
        }
    }

    private String size(String path) {
        long bytes = sizes.applyAsLong(path);
        return bytes < 0 ? null : Long.toString(bytes);
    }

    // --- What happened
    // ------------------------------------------------------------------------------------------------

    /** The run, the tries of its tasks, and the steps that they belong to; gives the ids of the latter. */
    private List<String> actions(String workflow) {
        Map<String, Object> whole = describe(RUN, "CreateAction");
        Map<String, List<Integer>> tasks = new LinkedHashMap<>();
        Set<String> given = new LinkedHashSet<>();
        for (int i = 0; i < attempts.size(); i++) {
            given.addAll(attempt(i));
            tasks.computeIfAbsent(attempts.get(i).task(), task -> new ArrayList<>())
                    .add(i);
        }
        put(whole, "name", "Run '" + run.name() + "' of " + name());
        put(whole, "description", run.commandLine());
        put(whole, "instrument", reference(workflow));
        put(whole, "agent", reference(agent()));
        ended(whole, run.started(), run.ended(), run.success() ? null : message());
        Set<String> objects = new LinkedHashSet<>(given);
        run.parameters().forEach((name, value) -> {
            if (value != null) {
                objects.add(fragment("parameter", name) + "/value");
            }
        });
        put(whole, "object", references(objects));
        put(
                whole,
                "result",
                references(results.stream()
                        .filter(result -> result.published() != null && result.parent() == null)
                        .map(places::get)
                        .toList()));
        return tasks.values().stream().map(this::control).toList();
    }

    private String message() {
        return run.error() == null ? "the run failed" : run.error();
    }

    private String agent() {
        boolean address = run.agent() != null && run.agent().matches("https?://\\S+");
        String id = address ? uri(run.agent()) : AGENT;
        put(describe(id, "Person"), "name", run.agent() == null ? "not stated" : run.agent());
        return id;
    }

    /** Describes a try; gives those of its inputs that no task made. */
    private Set<String> attempt(int number) {
        Attempt attempt = attempts.get(number);
        String id = action(number);
        Map<String, Object> action = describe(id, "CreateAction");
        String label = attempt.text("name") == null ? attempt.process() : attempt.text("name");
        put(action, "name", label);
        put(action, "description", description(attempt));
        put(action, "instrument", reference(fragment("tool", attempt.process())));
        ended(action, attempt.moment("start"), attempt.moment("complete"), failure(attempt));
        Set<String> objects = new LinkedHashSet<>();
        List<String> written = new ArrayList<>();
        for (Result result : made.getOrDefault(attempt, List.of())) {
            written.add(places.get(result));
            result.manifest().inputs().forEach(input -> objects.add(input(input)));
        }
        objects.removeAll(written);
        put(action, "object", references(objects));
        put(action, "result", references(written));
        put(action, "resourceUsage", references(usage(id, attempt)));
        objects.removeIf(object -> !object.startsWith("#input/"));
        return objects;
    }

    private static String action(int number) {
        return "#attempt-" + (number + 1);
    }

    private static String description(Attempt attempt) {
        String from = attempt.cached()
                ? "Taken from the cache of an earlier run; times and resources are those of then"
                : "Try " + (attempt.whole("attempt") == null ? 1 : attempt.whole("attempt"));
        return from + (attempt.text("hash") == null ? "" : ", work folder " + attempt.text("hash"));
    }

    private static String failure(Attempt attempt) {
        if (!attempt.failed()) {
            return null;
        }
        return attempt.cause()
                + (attempt.exit() == null ? ", no exit code" : ", exit code " + attempt.exit())
                + (attempt.retried() ? "; tried again" : "");
    }

    private static void ended(Map<String, Object> action, Instant start, Instant end, String error) {
        put(action, "startTime", start == null ? null : start.toString());
        put(action, "endTime", end == null ? null : end.toString());
        put(
                action,
                "actionStatus",
                reference("http://schema.org/" + (error == null ? "CompletedActionStatus" : "FailedActionStatus")));
        put(action, "error", error);
    }

    private List<String> usage(String action, Attempt attempt) {
        List<String> ids = new ArrayList<>();
        quantity(ids, action, "realTime", attempt.whole("realtime"), "https://qudt.org/vocab/unit/MilliSEC");
        quantity(ids, action, "percentCPU", attempt.number("%cpu"), null);
        quantity(ids, action, "peakRSS", attempt.whole("peak_rss"), "https://qudt.org/vocab/unit/BYTE");
        return ids;
    }

    private void quantity(List<String> ids, String action, String name, Number value, String unit) {
        if (value != null) {
            String id = action + "-" + name;
            Map<String, Object> quantity = describe(id, "PropertyValue");
            put(quantity, "name", name);
            put(quantity, "propertyID", "https://w3id.org/ro/terms/nf-trace#" + name);
            put(quantity, "unitCode", unit);
            put(quantity, "value", value.toString());
            ids.add(id);
        }
    }

    private String control(List<Integer> tries) {
        Attempt last = attempts.get(tries.get(tries.size() - 1));
        String id = "#execution-" + (tries.get(0) + 1);
        Map<String, Object> control = describe(id, "ControlAction");
        put(control, "name", "Execution of " + last.process());
        put(control, "instrument", reference(fragment("step", last.process())));
        put(control, "object", references(tries.stream().map(Crate::action).toList()));
        ended(control, null, null, failure(last));
        return id;
    }

    private void engine(List<String> steps) {
        Map<String, Object> engine = describe(ENGINE, "SoftwareApplication");
        put(engine, "name", "Nextflow");
        put(engine, "url", NEXTFLOW);
        put(engine, "softwareVersion", run.engine());
        if (!steps.isEmpty()) {
            Map<String, Object> organize = describe("#organization", "OrganizeAction");
            put(organize, "name", "Run of Nextflow " + run.engine());
            put(organize, "instrument", reference(ENGINE));
            put(organize, "object", references(steps));
            put(organize, "result", reference(RUN));
            ended(organize, run.started(), run.ended(), run.success() ? null : message());
        }
    }

    // --- JSON-LD
    // ------------------------------------------------------------------------------------------------------

    private Map<String, Object> describe(String id, String... types) {
        return graph.computeIfAbsent(id, name -> {
            Map<String, Object> entity = new LinkedHashMap<>();
            entity.put("@id", name);
            entity.put("@type", types.length == 1 ? types[0] : Arrays.asList(types));
            return entity;
        });
    }

    /** Nothing that is not known, and no empty list, is written. */
    private static void put(Map<String, Object> entity, String property, Object value) {
        if (value != null && !(value instanceof Collection<?> list && list.isEmpty())) {
            entity.put(property, value);
        }
    }

    private static Map<String, Object> reference(String id) {
        return Map.of("@id", id);
    }

    private static List<Object> references(Collection<String> ids) {
        List<Object> references = new ArrayList<>();
        ids.forEach(id -> references.add(reference(id)));
        return references;
    }

    /** {@code #KIND/PART/…}, with what may not stand in an address escaped. */
    private static String fragment(String kind, String... parts) {
        StringBuilder id = new StringBuilder("#").append(kind);
        for (String part : parts) {
            id.append('/').append(path(String.valueOf(part)).replace("/", "%2F"));
        }
        return id.toString();
    }

    /** A relative address that stands for {@code path}, byte for byte: what is not plain is escaped, a colon too. */
    private static String path(String path) {
        StringBuilder address = new StringBuilder();
        for (byte part : path.getBytes(StandardCharsets.UTF_8)) {
            char letter = (char) (part & 0xff);
            if (PLAIN.indexOf(letter) >= 0) {
                address.append(letter);
            } else {
                address.append('%').append(String.format("%02X", (int) letter));
            }
        }
        return address.toString();
    }

    private static String uri(String address) {
        try {
            return new URI(address).toASCIIString();
        } catch (URISyntaxException e) {
            return fragment("address", address);
        }
    }
}
