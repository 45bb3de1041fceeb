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
    private final Map<String, Shape> shapes
    /** Tokens analysed, at most; null where they are not counted yet. */
    private final Long analysed
    private final Storage storage

    /** @throws IllegalArgumentException if the hub refuses, or does not have, what is wanted */
    Plan(Launch launch, Map<String, Object> params, Hub hub) {
        this.launch = launch
        this.params = params
        Study whole = launch.study
        files = hub.files(whole.origins.values().toList(), launch.dataset)
        shapes = shapes(whole)
        analysed = whole.analysed()
        storage = Storage.of(whole, params, whole.firsts().collectEntries { [(it.family): shapes[(String) it.id]] }, analysed)
        study = whole.storing(storage.stored)
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
        // rows of ids are as long as they are, and need no tokenizer
        String rows = launch.ids ? '' : "rows of ${params.context} tokens, tokenizer ${params.tokenizer}; "
        return ['', "Text: ${source}; ${rows}${study.splits()}".toString()]
    }

    /** Tasks by stage. */
    Map<String, Integer> counts() {
        List<Map> correlations = study.correlations()
        return [
            fetch    : study.origins.size() + (launch.dataset ? 1 : 0),
            tokenize : study.texts().size(),
            train    : study.trainings.size(),
            activate : study.activations().size(),
            describe : study.activations().size(),
            correlate: correlations.size(),
            identify : study.identifications().size(),
            persist  : study.persistences().size(),
            ablate   : study.ablations().size(),
            sweep    : study.comparisons().size(),
            report   : study.reports().size(),
        ].findAll { it.value > 0 }
    }

    private List<String> tasks() {
        Map<String, Integer> counts = counts()
        return sweep() + ['', "Tasks: ${counts.values().sum()} (${counts.collect { "${it.key} ${it.value}" }.join(', ')})".toString()] + launch.notes
    }

    private List<String> sweep() {
        List<String> swept = study.grid.swept()
        return swept ? ['', "Sweep: ${study.grid.combinations().size()} combinations of ${swept.collect { "${it} ${study.grid.values[it].join(', ')}" }.join('; ')}".toString()] : []
    }

    private List<String> needs() {
        List<String> lines = [''] + storage.lines
        if (analysed == null) {
            lines << 'Disk and work: not known before the text is counted (--tokens 0)'
            return lines
        }
        List<Shape> known = study.checkpoints.collect { shapes[(String) it.id] }.findAll { it != null }
        lines << "Tokens analysed: ${analysed}; neurons in a model: ${known*.neurons().unique().join(', ') ?: 'not known'}".toString()
        if (!known) {
            lines << 'Disk and work: not known: no checkpoint has a config.json that tells its size'
            return lines
        }
        if (known.size() < study.checkpoints.size()) {
            lines << "Not counted below, for want of a config.json that tells the size: ${study.checkpoints*.id.findAll { shapes[(String) it] == null }.join(', ')}".toString()
        }
        // of all numbers of tokens together
        List<Long> stored = study.stored.collect { Storage.bytes(shapes[it], analysed, params.dtype) }.findAll { it != null }
        if (stored) {
            lines << "Disk: activations ${size((long) stored.sum())} in the work folder (${size((long) stored.max())} the largest checkpoint)".toString()
        }
        lines << "Memory: the weights of one model, at most ${size((long) known*.weights().max())} in f32, and what --memory of each tool allows (docs/usage.md)".toString()
        List<Long> together = study.correlations().findAll { it.source == 'checkpoint' }.collect { task ->
            (long) task.members.sum(0L) { shapes[it]?.weights() ?: 0 }
        }
        if (together) {
            lines << "Memory of correlate, live: twice the weights of the models of a task, which are at most ${size((long) together.max())} in f32".toString()
        }
        int products = 0
        double work = 0
        study.correlations().groupBy { it.tokens }.each { tokens, tasks ->
            List<List<String>> pairs = Study.products(tasks).findAll { pair -> pair.every { shapes[it] != null } }
            products += pairs.size()
            // 2 n N_a N_b for each
            work += (double) pairs.sum(0.0d) { a, b -> 2.0d * study.analysed(tokens) * shapes[a].neurons() * shapes[b].neurons() }
        }
        lines << "Work: ${operations(work)} operations in the products of ${products} pairs, controls among them".toString()
        return lines
    }

    /** By checkpoint: its shape, null where that is not known. */
    private Map<String, Shape> shapes(Study study) {
        if (study.trainings) {
            Shape shape = Shape.of(launch.settings.model)
            return study.checkpoints.collectEntries { [(it.id): shape] }
        }
        Map<List, Shape> shapes = files.findAll { it.config }.collectEntries { [([it.source, it.revision]): Shape.parse((String) it.config)] }
        return study.checkpoints.collectEntries { meta ->
            Map origin = study.origins[(String) meta.id]
            [(meta.id): shapes.find { key, shape -> key[0] == origin.source && (key[1] == origin.revision || !origin.revision) }?.value]
        }
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
