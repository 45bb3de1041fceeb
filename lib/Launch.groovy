import java.nio.file.Files
import java.nio.file.Path

/** Everything that is decided before the first task: parameters checked, study planned, digests of the tools taken. */
class Launch {
    /** Every stage of the pipeline, in the order of the study. */
    static final List<String> STAGES =
            ['fetch', 'tokenize', 'train', 'activate', 'correlate', 'describe', 'identify', 'persist', 'ablate', 'report']

    /** The one line that says why this cannot run, or null. */
    String problem
    /** The text of {@code --help}, where it was asked for. */
    String help
    Study study
    /** Stage to digest of its code. */
    Map<String, String> digests
    /** Text files, in order; empty where text is generated. */
    List<Path> text = []
    /** Rows of token ids instead of text, or null. */
    Path ids
    /** The tokenizer's file, where {@code --tokenizer} is not a name. */
    Path tokenizer
    /** Configuration of the small model that is trained. */
    Path model

    /** Never throws for what the user did: see {@link #problem}. */
    static Launch of(Map<String, Object> params, Path project) {
        Launch launch = new Launch()
        try {
            launch.prepare(new LinkedHashMap<String, Object>(params), project)
        } catch (IllegalArgumentException e) {
            launch.problem = e.message
        }
        return launch
    }

    private void prepare(Map<String, Object> params, Path project) {
        Parameters parameters = new Parameters(project.resolve('nextflow_schema.json'))
        problem = parameters.problem(params)
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
        text = params.text == null ? [] : Study.files('text', params.text)
        ids = params.ids == null ? null : file('ids', params.ids)
        if (ids != null && (text || params.vocabulary == null)) {
            throw new IllegalArgumentException(text ? '--ids and --text exclude each other' : '--ids needs --vocabulary, the number of token ids')
        }
        tokenizer = ids != null || params.tokenizer ==~ /r50k|byte|bpe:\d+/ ? null : file('tokenizer', params.tokenizer)
        model = params.model_config == null ? project.resolve('conf/models/demo.json') : file('model_config', params.model_config)
        study = params.input == null ? Study.trained(params) : Study.given(Path.of(params.input.toString()), params)
        digests = ToolDigest.all(STAGES, project)
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

    /** The last line of a failed task's messages: the tools say there what was wrong. */
    static String lastLine(Object message) {
        return message?.toString()?.readLines()*.trim()?.findAll { it }?.with { it ? it.last() : null }
    }
}
