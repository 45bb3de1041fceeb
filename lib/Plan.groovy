import groovy.json.JsonSlurper

/**
 * What a study takes, before anything runs: what is to be fetched, how many tasks there are, and what they read, write and
 * compute. Estimates, but for the files and the tasks.
 */
class Plan {
    private static final List<String> UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

    private final Launch launch
    private final Study study
    private final Map<String, Object> params
    private final List<Map> files

    /** @throws IllegalArgumentException if the hub refuses, or does not have, what is wanted */
    Plan(Launch launch, Map<String, Object> params, Hub hub) {
        this.launch = launch
        this.study = launch.study
        this.params = params
        this.files = hub.files(study.origins.values().toList(), launch.dataset)
    }

    String text() {
        return (checkpoints() + textLines() + tasks() + needs()).join('\n')
    }

    private List<String> checkpoints() {
        List<String> lines = ["Checkpoints: ${study.checkpoints.size()}${study.trainings ? ', trained here' : ''}".toString()]
        study.families().each { family, members ->
            lines << "  ${family}: seeds ${members*.seed.unique().join(', ')}; steps ${members*.step.unique().join(', ')}".toString()
        }
        if (files) {
            lines << '' << 'Files:'
            lines.addAll(table([['source', 'revision', 'files', 'size', 'to download']] + files.groupBy { [it.source, it.revision] }.collect { key, own ->
                [key[0], key[1] ?: '-', own.size(), size(total(own, 'bytes')), size(total(own, 'download'))]
            } + [['all', '', files.size(), size(total(files, 'bytes')), size(total(files, 'download'))]]))
        }
        return lines
    }

    private static long total(List<Map> files, String column) {
        return (long) files.sum(0L) { it[column] as long }
    }

    private List<String> textLines() {
        String source = launch.dataset ? "dataset ${launch.dataset.source}"
                : launch.ids ? launch.ids.toString()
                : launch.text ? "${launch.text.size()} files" : "generated, seed ${params.generate_seed}"
        return ['', "Text: ${source}; rows of ${params.context} tokens, tokenizer ${params.tokenizer}; ${study.splits()}".toString()]
    }

    /** Tasks by stage. */
    Map<String, Integer> counts() {
        List<Map> correlations = study.correlations()
        return [
            fetch    : study.origins.size() + (launch.dataset ? 1 : 0),
            tokenize : 1,
            train    : study.trainings.size(),
            activate : study.checkpoints.size(),
            describe : study.checkpoints.size(),
            correlate: correlations.size(),
            identify : study.identifications().size(),
            persist  : study.persistences().size(),
            ablate   : study.ablations().size(),
            report   : 1,
        ].findAll { it.value > 0 }
    }

    private List<String> tasks() {
        Map<String, Integer> counts = counts()
        return ['', "Tasks: ${counts.values().sum()} (${counts.collect { "${it.key} ${it.value}" }.join(', ')})".toString()] + study.notes()
    }

    private List<String> needs() {
        List<String> lines = ['']
        Long analysed = split('analysis')
        Map<String, Map> shapes = shapes()
        if (analysed == null) {
            lines << 'Disk and work: not known before the text is counted (--tokens 0)'
            return lines
        }
        List<Map> unknown = study.checkpoints.findAll { shapes[it.id] == null }
        if (unknown) {
            lines << "Not counted below, for want of a config.json: ${unknown*.id.join(', ')}".toString()
        }
        List<Map> known = study.checkpoints.findAll { shapes[it.id] != null }
        long width = params.dtype == 'f16' ? 2 : 4
        List<Long> stored = known.collect { neurons(shapes[it.id]) * analysed * width }
        lines << "Tokens analysed: ${analysed}; neurons in a model: ${known.collect { neurons(shapes[it.id]) }.unique().join(', ') ?: 'not known'}".toString()
        lines << "Disk: activations ${size((long) (stored.sum() ?: 0L))} in the work folder (${size((long) (stored.max() ?: 0L))} the largest checkpoint)".toString()
        lines << "Memory: the weights of one model, at most ${size((long) (known.collect { weights(shapes[it.id]) }.max() ?: 0L))} in f32, and what --memory of each tool allows (docs/usage.md)".toString()
        lines << "Work: ${operations(products(shapes, analysed))} operations in products of pairs".toString()
        return lines
    }

    /** Operations of the products of all pairs: 2 n N² for each pair of models of a step. */
    private double products(Map<String, Map> shapes, long analysed) {
        return (double) study.groups().sum(0.0d) { group ->
            List<Long> sizes = group.members.findAll { shapes[it.id] != null }.collect { neurons(shapes[it.id]) }
            long all = (long) (sizes.sum() ?: 0L)
            long squares = (long) sizes.sum(0L) { it * it }
            // sum over unordered pairs of N_a N_b
            (double) analysed * ((double) all * all - squares)
        }
    }

    /** Tokens that a split gets, at most; null where that is not known. */
    Long split(String name) {
        String share = study.splits().split(',').find { it.startsWith(name + '=') }?.split('=')?.last()
        if (share == null) {
            return null
        }
        long tokens = params.tokens as long
        if (!share.endsWith('%')) {
            return share as long
        }
        return tokens == 0 ? null : Math.round(tokens * (share.dropRight(1) as double) / 100)
    }

    /** By checkpoint: its config.json as a map. */
    private Map<String, Map> shapes() {
        if (study.trainings) {
            Map model = (Map) new JsonSlurper().parse(launch.model.toFile(), 'UTF-8').model
            return study.checkpoints.collectEntries { [(it.id): model] }
        }
        Map<List, Map> configs = files.findAll { it.config }.collectEntries { [([it.source, it.revision]): (Map) new JsonSlurper().parseText((String) it.config)] }
        return study.checkpoints.collectEntries { meta ->
            Map origin = study.origins[(String) meta.id]
            [(meta.id): configs.find { key, config -> key[0] == origin.source && (key[1] == origin.revision || !origin.revision) }?.value]
        }
    }

    private static long layers(Map config) {
        return (config.n_layer ?: config.num_hidden_layers) as long
    }

    private static long residual(Map config) {
        return (config.n_embd ?: config.hidden_size) as long
    }

    private static long hidden(Map config) {
        return (config.n_inner ?: config.intermediate_size ?: 4 * residual(config)) as long
    }

    private static long neurons(Map config) {
        return layers(config) * hidden(config)
    }

    /** Bytes of the weights in F32, but for biases and gains. */
    private static long weights(Map config) {
        long d = residual(config)
        return 4 * (layers(config) * (4 * d * d + 2 * d * hidden(config)) + ((config.vocab_size ?: 0) as long) * d)
    }

    private static String operations(double count) {
        int power = count < 1000 ? 0 : Math.min(18, (int) (Math.log10(count) / 3) * 3)
        return String.format(Locale.ROOT, '%.3g', count / Math.pow(10, power)) + (power == 0 ? '' : "e${power}")
    }

    /** Bytes as people read them; 1 kB is 1,000 bytes. */
    static String size(long bytes) {
        int unit = 0
        double value = bytes
        while (value >= 999.5 && unit < UNITS.size() - 1) {
            value /= 1000
            unit++
        }
        return unit == 0 ? "${bytes} B" : String.format(Locale.ROOT, value < 9.995 ? '%.2f %s' : value < 99.95 ? '%.1f %s' : '%.0f %s', value, UNITS[unit])
    }

    private static List<String> table(List<List> rows) {
        List<Integer> widths = rows.head().indices.collect { column -> rows.collect { it[column].toString().length() }.max() }
        return rows.collect { row ->
            '  ' + row.withIndex().collect { cell, column ->
                column < 2 ? cell.toString().padRight(widths[column]) : cell.toString().padLeft(widths[column])
            }.join('  ').stripTrailing()
        }
    }
}
