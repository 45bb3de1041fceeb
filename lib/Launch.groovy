import groovy.json.JsonException
import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path

/** Everything that is decided before the first task: parameters checked, study planned, digests of the tools taken. */
class Launch {
    /** Every stage of the pipeline, in the order of the study. */
    static final List<String> STAGES =
            ['fetch', 'tokenize', 'train', 'activate', 'correlate', 'describe', 'identify', 'persist', 'ablate', 'sweep', 'report']

    /** The one line that says why this cannot run, or null. */
    String problem
    /** The text of {@code --help}, where it was asked for. */
    String help
    Study study
    /** Stage to digest of its code. */
    Map<String, String> digests
    /** Text files and folders, in order; empty where text is generated. */
    List<Path> text = []
    /** Identity of the task that makes token rows: its id, and the state of the folders with text, where there are any. */
    Map<String, String> tokens = [id: 'tokens']
    /** Where on the hub the text is, {@code [source, revision, include]}, or null. */
    Map dataset
    /** Rows of token ids instead of text, or null. */
    Path ids
    /** The tokenizer's file, where {@code --tokenizer} is not a name. */
    Path tokenizer
    /** The folder that keeps what was fetched, where one is named, or null. */
    String cache
    /** Whether no hub may be contacted. */
    boolean offline
    /** What {@code --plan} prints, where it was asked for. */
    String plan
    /** Configuration of the small model that is trained, and what is in it. */
    Path model
    Map settings
    /** Lines about what is left out or not used, and why. */
    List<String> notes = []

    /**
     * Never throws for what the user did: see {@link #problem}.
     *
     * @param work the work folder, or null where it does not matter
     */
    static Launch of(Map<String, Object> params, Path project, Path work = null) {
        Launch launch = new Launch()
        try {
            launch.prepare(new LinkedHashMap<String, Object>(params), project, work)
        } catch (IllegalArgumentException e) {
            launch.problem = e.message
        } catch (IOException | UncheckedIOException e) {
            launch.problem = "cannot read what the study needs: ${e.message}"
        }
        launch.problem = launch.problem == null ? null : visible(launch.problem)
        return launch
    }

    /** One line, whatever values it repeats: line breaks and what else steers a terminal are spelt out. */
    static String visible(String line) {
        return line.replaceAll(/\p{Cntrl}/) { character ->
            ['\n': '\\n', '\r': '\\r', '\t': '\\t'].getOrDefault(character, String.format('\\u%04x', (int) character.charAt(0)))
        }
    }

    private void prepare(Map<String, Object> params, Path project, Path work) {
        Parameters parameters = new Parameters(project.resolve('nextflow_schema.json'))
        problem = parameters.problem(params) ?: leak(System.getenv())
        if (problem != null) {
            return
        }
        if (params.help) {
            help = parameters.help()
            return
        }
        if (!ToolDigest.built(project)) {
            problem = "the tools are not built: run './nextflow' instead of 'nextflow', or 'mvn -q package -DskipTests' in ${project}"
            return
        }
        prepareText(params)
        model = params.model_config == null ? project.resolve('conf/models/demo.json') : file('model_config', params.model_config)
        settings = settingsOf(model)
        study = params.input == null ? Study.trained(params) : Study.given(sheet(params.input, project), params)
        checkTokenizer(params)
        checkTokens()
        checkContext(params.context as int)
        notes = study.notes() + notesOnTokens(params, parameters.schema.tokens.default) + notesOnTraining(params)
        digests = ToolDigest.all(STAGES, project)
        offline = params.offline || Hub.offline(System.getenv())
        cache = params.checkpoint_cache == null ? null : Path.of(params.checkpoint_cache.toString()).toAbsolutePath().normalize()
        Hub hub = new Hub(project, cache, offline)
        if (params.plan) {
            plan = new Plan(this, params, hub).text()
            return
        }
        checkOutdir(params.outdir.toString())
        checkPaths(project, work)
        if (offline) {
            hub.files(study.remote(), dataset)
        }
    }

    /** Refuses paths that Nextflow stages and cannot. */
    private void checkPaths(Path project, Path work) {
        Staging.checkProject(project)
        if (work != null) {
            Staging.check('the work folder', work)
        }
        if (cache != null) {
            Staging.check('--checkpoint_cache', Path.of(cache))
        }
        text.each { Staging.check('--text', it) }
        [ids: ids, tokenizer: tokenizer, model_config: study.trainings ? model : null].each { name, file ->
            if (file != null) {
                Staging.check("--${name}", file)
            }
        }
    }

    /**
     * The line about a token of this environment that would be written down, or null. With NXF_DEBUG the wrapper that Nextflow
     * writes for each task prints all variables into the task's folder.
     */
    static String leak(Map<String, String> environment) {
        boolean prints = environment.NXF_DEBUG && environment.NXF_DEBUG != '0'
        List<String> tokens = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'].findAll { environment[it] }
        return prints && tokens
                ? "NXF_DEBUG=${environment.NXF_DEBUG} makes Nextflow write the environment into every task's folder, and ${tokens.join(' and ')} with it: unset one of them"
                : null
    }

    /** That results cannot be written had better be said now than after hours. */
    private static void checkOutdir(String outdir) {
        if (outdir ==~ /[A-Za-z][A-Za-z0-9+.-]+:\/\/.*/) {
            return // elsewhere than on a disk
        }
        Path folder = Path.of(outdir).toAbsolutePath().normalize()
        while (!Files.exists(folder)) {
            folder = folder.parent
        }
        if (!Files.isDirectory(folder) || !Files.isWritable(folder)) {
            throw new IllegalArgumentException("--outdir '${outdir}' cannot be written: '${folder}' is no folder that may be written to; make it so, or name another one")
        }
    }

    private void prepareText(Map<String, Object> params) {
        List<String> given = ['text', 'ids', 'dataset'].findAll { params[it] != null }
        if (given.size() > 1) {
            throw new IllegalArgumentException("${given.collect { "--${it}" }.join(' and ')} exclude each other")
        }
        if (params.dataset == null && (params.dataset_revision != null || params.dataset_files != null)) {
            throw new IllegalArgumentException('--dataset_revision and --dataset_files need --dataset')
        }
        text = params.text == null ? [] : Study.files('text', params.text)
        String state = Study.state(text)
        if (state != null) {
            tokens.text = state
        }
        ids = params.ids == null ? null : file('ids', params.ids)
        if (ids != null && params.vocabulary == null) {
            throw new IllegalArgumentException('--ids needs --vocabulary, the number of token ids')
        }
        if (params.dataset != null) {
            List<String> include = params.dataset_files == null ? [] : Study.words(params.dataset_files)
            if (params.dataset_files != null && !include) {
                throw new IllegalArgumentException("--dataset_files '${params.dataset_files}' names no file")
            }
            dataset = [source: params.dataset, revision: params.dataset_revision, include: include]
        }
        if (params.tokenizer == 'checkpoint' && params.input == null) {
            throw new IllegalArgumentException("--tokenizer checkpoint needs --input: models that are trained here have the text's tokenizer")
        }
        if (params.tokenizer == 'checkpoint' && ids != null) {
            throw new IllegalArgumentException('--ids and --tokenizer checkpoint exclude each other: rows of token ids are not tokenized')
        }
        tokenizer = ids != null || params.tokenizer ==~ /checkpoint|r50k|byte|bpe:\d+/ ? null : file('tokenizer', params.tokenizer)
    }

    /** Checkpoints that are given were trained with a tokenizer; with another one, their results are nonsense that looks fine. */
    private void checkTokenizer(Map<String, Object> params) {
        if (params.input == null || ids != null) {
            return
        }
        if (params.tokenizer.toString().startsWith('bpe:')) {
            throw new IllegalArgumentException("--tokenizer ${params.tokenizer} is trained on the text, and the checkpoints of --input know another one; expected r50k (GPT-2), checkpoint, or a tokenizer.json")
        }
        List<String> families = study.families().keySet().toList()
        if (params.tokenizer == 'checkpoint' && families.size() > 1) {
            throw new IllegalArgumentException("--tokenizer checkpoint takes the tokenizer of one family, and --input has ${families.join(', ')}; study one family, or name a tokenizer that all have")
        }
    }

    /** Text that is generated has no end of its own. */
    private void checkTokens() {
        boolean endless = !text && ids == null && dataset == null && new Splits(study.splits()).shares
        if (endless && study.texts().any { it.tokens.toString() == '0' }) {
            throw new IllegalArgumentException('--tokens 0 takes all of a given text, and text that is generated has no end; expected a number above 0, or --text, --ids or --dataset')
        }
    }

    /** Refuses rows longer than a model reads, where its config.json is at hand; of models on the hub the first task tells. */
    private void checkContext(int context) {
        if (ids != null) {
            return // rows are as long as they are
        }
        Map<String, Shape> known = study.trainings
                ? [("--model_config '${model}'".toString()): Shape.of(settings.model)]
                : study.origins.values()*.source.toUnique().findAll { !Study.isRepository((String) it) }.collectEntries { [("the checkpoint in '${it}'".toString()): Shape.read(Path.of((String) it))] }
        known.each { name, shape ->
            if (shape?.context && shape.context < context) {
                throw new IllegalArgumentException("--context ${context}: ${name} has ${shape.context} positions; expected at most as many, so pass --context ${shape.context} or less")
            }
        }
    }

    private List<String> notesOnTokens(Map<String, Object> params, Object unset) {
        return params.tokens == unset || new Splits(study.splits()).shares
                ? []
                : ["--tokens ${params.tokens} is not used: --split says how many tokens each split gets".toString()]
    }

    /** Small models that were published are trained again where this study wants other steps of them. */
    private List<String> notesOnTraining(Map<String, Object> params) {
        return study.trainings.findResults { run ->
            Set<Integer> wanted = study.stepsOf((String) run.family).toSet()
            File[] found = new File("${params.outdir}/train/${run.id}").listFiles() ?: new File[0]
            Set<Integer> before = found*.name.findResults { it.startsWith("${run.id}-t") ? it.substring(run.id.length() + 2) : null }
                    .findAll { it ==~ /\d{1,9}/ }*.toInteger().toSet()
            before && before != wanted ? [before, wanted]*.toSorted()*.join(', ') : null
        }.unique().collect { before, wanted ->
            "Models are trained again, and all that follows from them is computed again: ${params.outdir} has them with the steps ${before}, and this study wants ${wanted}".toString()
        }
    }

    private static Map settingsOf(Path file) {
        Object settings
        try {
            settings = new JsonSlurper().parse(file.toFile(), 'UTF-8')
        } catch (JsonException e) {
            throw new IllegalArgumentException("--model_config '${file}' is not JSON: ${e.message.readLines()[0]}")
        }
        if (!(settings instanceof Map && settings.model instanceof Map)) {
            throw new IllegalArgumentException("--model_config '${file}' has no \"model\"; expected an object with \"model\" and \"training\", as in conf/models/demo.json")
        }
        return settings
    }

    /** Where what was fetched lies, behind the link in the task's folder. The hub's cache may be anywhere: HF_HOME names it. */
    static Path fetched(Path folder) {
        try {
            return Staging.check('the cache of the hub', folder.toRealPath())
        } catch (IllegalArgumentException e) {
            throw quiet(e)
        }
    }

    /** The tokenizer that a fetched checkpoint came with. */
    static Path tokenizerOf(Path checkpoint) {
        Path file = checkpoint.resolve('tokenizer.json')
        if (!Files.isRegularFile(file)) {
            throw quiet(new IllegalArgumentException("--tokenizer checkpoint: '${checkpoint.fileName}' came without a tokenizer.json; name a tokenizer, such as r50k for GPT-2"))
        }
        return file
    }

    /** A samplesheet of the user's, or one that comes with the project (conf/studies). */
    private static Path sheet(Object path, Path project) {
        Path own = Path.of(path.toString()).toAbsolutePath().normalize()
        Path found = [own, project.resolve(path.toString())].find { Files.isRegularFile(it) }
        if (found == null) {
            throw new IllegalArgumentException("--input '${path}' is no file that exists")
        }
        return found
    }

    private static Path file(String name, Object path) {
        Path file = Path.of(path.toString()).toAbsolutePath().normalize()
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("--${name} '${path}' is no file that exists")
        }
        return file
    }

    /** A failure whose message is all that the user sees: Nextflow adds a place in the script to any that has a stack trace. */
    static <T extends Throwable> T quiet(T failure) {
        failure.stackTrace = new StackTraceElement[0]
        return failure
    }

    /** What Nextflow says caused a failure that is no tool's (a disk that is full, results that cannot be written): a line of its report. */
    static String cause(Object report) {
        List<String> lines = report?.toString()?.readLines()*.trim()?.findAll { it } ?: []
        int at = lines.indexOf('Caused by:')
        return lines[at + 1]
    }

    /** The last line of a failed task's messages: the tools say there what was wrong. */
    static String lastLine(Object message) {
        return message?.toString()?.readLines()*.trim()?.findAll { it }?.with { it ? it.last() : null }
    }
}
