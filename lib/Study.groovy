import groovy.io.FileType
import java.nio.file.FileSystems
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.PathMatcher
import java.security.MessageDigest
import java.util.concurrent.ConcurrentHashMap
import java.util.regex.PatternSyntaxException

/**
 * What is to be run: checkpoints, the groups in which they are correlated, and which results each later task needs. Planned
 * whole at launch, so that what cannot work is said before anything runs.
 *
 * <p>A <em>task</em> here is a map of {@code meta} (what Nextflow hashes), {@code needs} ({@linkplain #name names} of the results
 * that it reads, in a fixed order) and {@code options} (of the tool); one of {@code correlate} also of {@code members} (ids of
 * checkpoints) and {@code source} (the tool's option for what it needs of them); one that reads token rows of {@code text}, a name
 * of {@link #texts}. Metas are made here and nowhere else: Nextflow hashes a map by its values alone, one after the other without a
 * mark between them, so the first key is an id, which names the folder of the result; the last one are the {@link Grid}'s settings,
 * where several may be given, and with them it is the only one of its stage; numbers stay numbers, and nothing is null.
 */
class Study {
    static final List<String> COLUMNS = ['id', 'family', 'seed', 'step', 'source', 'revision']
    static final List<String> REQUIRED = ['family', 'seed', 'step', 'source']
    /** Partners of a neuron that {@code correlate} finds through products that are not exact (universality.correlate.Shortlist). */
    private static final int MOST_FILTERED = 32
    private static final int LONGEST_NAME = 64
    static final List<String> CONTROLS = ['rotated', 'shifted', 'row_shifted', 'token_permuted']

    /** What to train: {@code [id, family, seed]}; empty where checkpoints are given. */
    final List<Map> trainings
    /** Every checkpoint: {@code [id, family, seed, step]}, by family, step, then the order in which seeds were given. */
    final List<Map> checkpoints
    /** Checkpoint id to {@code [source, revision]}; empty where they are trained. */
    final Map<String, Map> origins
    /** Ids of the checkpoints whose activations are stored; those of the others are computed when they are needed. */
    final Set<String> stored
    /** The parameters that were given several values. */
    final Grid grid
    private final Map<String, Object> params
    /** By stage; operators of the workflow ask at the same time. */
    private final Map<String, List<Map>> plans = new ConcurrentHashMap<>()

    private Study(List<Map> trainings, List<Map> checkpoints, Map<String, Map> origins, Map<String, Object> params, Set<String> stored = null) {
        this.trainings = trainings
        this.checkpoints = ordered(checkpoints)
        this.origins = origins
        this.params = params
        this.grid = new Grid(params, new Splits(splits()).shares)
        this.stored = stored == null ? checkpoints*.id as Set : stored
    }

    /** The same study, with the activations of these checkpoints only stored. */
    Study storing(Set<String> ids) {
        return new Study(trainings, checkpoints, origins, params, ids)
    }

    /** The embedded study: {@code params.seeds} × {@code params.steps}. */
    static Study trained(Map<String, Object> params) {
        String family = checkId('family', params.family.toString())
        List<Integer> seeds = integers('seeds', params.seeds)
        List<Integer> steps = integers('steps', params.steps)
        List<Map> trainings = seeds.collect { [id: checkId('id', "${family}-s${it}"), family: family, seed: it] }
        List<Map> checkpoints = [seeds, steps].combinations { seed, step -> checkpoint(family, seed, step) }
        return new Study(trainings, checkpoints, [:], params).checked()
    }

    /** The checkpoints of a samplesheet; relative sources count from its folder. */
    static Study given(Path sheet, Map<String, Object> params) {
        List<List<String>> rows = csv(sheet)
        if (rows.size() < 2) {
            throw new IllegalArgumentException("${sheet.fileName} lists no checkpoint; expected a header (${COLUMNS.join(',')}) and one row for each")
        }
        List<String> header = rows.head()*.trim()
        checkHeader(sheet, header)
        List<Map> checkpoints = []
        Map<String, Map> origins = [:]
        rows.tail().eachWithIndex { row, index ->
            String place = "${sheet.fileName}, row ${index + 1}"
            if (row.size() != header.size()) {
                throw new IllegalArgumentException("${place}: ${row.size()} cells where the header has ${header.size()}")
            }
            Map<String, String> cells = [header, row*.trim()].transpose().collectEntries()
            Map meta = sheetMeta(place, cells)
            if (origins.containsKey(meta.id)) {
                throw new IllegalArgumentException("${place}: the id '${meta.id}' is there twice; give each checkpoint its own")
            }
            checkpoints << meta
            Map origin = [source: source(place, sheet, cells.source), revision: cells.revision ?: '']
            if (origin.revision && !isRepository((String) origin.source)) {
                throw new IllegalArgumentException("${place}: the source '${cells.source}' is a folder, which has no revision; leave '${origin.revision}' out")
            }
            origins[(String) meta.id] = origin
        }
        return new Study([], checkpoints, origins, params).checked()
    }

    private static void checkHeader(Path sheet, List<String> header) {
        String unknown = header.find { !(it in COLUMNS) }
        if (unknown != null) {
            throw new IllegalArgumentException("${sheet.fileName}: unknown column '${unknown}'; expected ${COLUMNS.join(',')}")
        }
        String repeated = header.find { header.count(it) > 1 }
        if (repeated != null) {
            throw new IllegalArgumentException("${sheet.fileName}: the column '${repeated}' is there twice")
        }
        String absent = REQUIRED.find { !(it in header) }
        if (absent != null) {
            throw new IllegalArgumentException("${sheet.fileName}: the column '${absent}' is missing; expected ${COLUMNS.join(',')}")
        }
    }

    private static Map sheetMeta(String place, Map<String, String> cells) {
        try {
            String family = checkId('family', cells.family)
            Integer seed = integer('seed', cells.seed)
            Integer step = integer('step', cells.step)
            return checkpoint(family, seed, step, cells.id ?: null)
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("${place}: ${e.message}")
        }
    }

    private static String source(String place, Path sheet, String source) {
        if (!source) {
            throw new IllegalArgumentException("${place}: the source is empty; expected a repository of the hub (ORGANISATION/NAME) or the folder of a checkpoint")
        }
        Path folder = sheet.toAbsolutePath().parent.resolve(source).normalize()
        if (Files.isDirectory(folder)) {
            return folder.toString()
        }
        if (!isRepository(source)) {
            throw new IllegalArgumentException("${place}: the source '${source}' is not a folder (relative ones count from the samplesheet's) and no repository of the hub (ORGANISATION/NAME); expected one in Hugging Face layout")
        }
        return source
    }

    /** Whether a source is a repository of the hub; folders are absolute here. */
    static boolean isRepository(String source) {
        return source ==~ /[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}/
    }

    /** Where the checkpoints come from that are on the hub. */
    List<Map> remote() {
        return origins.values().findAll { isRepository((String) it.source) }
    }

    /** The meta of a checkpoint: the only place where one is made. */
    static Map checkpoint(String family, Integer seed, Integer step, String id = null) {
        return [id: checkId('id', id ?: "${family}-s${seed}-t${step}".toString()), family: family, seed: seed, step: step]
    }

    private Study checked() {
        families().each { family, members ->
            List<Integer> seeds = members*.seed.unique(false)
            if (seeds.size() < 2) {
                throw new IllegalArgumentException("the family '${family}' has the seed ${seeds[0]} only: correlation needs at least two seeds of one family")
            }
            members.groupBy { [it.seed, it.step] }.each { key, same ->
                if (same.size() > 1) {
                    throw new IllegalArgumentException("'${same[0].id}' and '${same[1].id}' are both seed ${key[0]}, step ${key[1]} of the family '${family}'")
                }
            }
        }
        List<String> needed = (trainings ? ['train'] : []) + ['analysis', 'heldout', 'examples']
        Splits given = new Splits(splits())
        String missing = needed.find { !given.amounts.containsKey(it) }
        if (missing != null) {
            throw new IllegalArgumentException("--split '${splits()}' has no '${missing}'; this study needs ${needed.join(', ')}")
        }
        Set<Integer> known = checkpoints*.step.toSet()
        [control_steps: params.control_steps, ablate_steps: params.ablate_steps].each { name, choice ->
            Integer absent = choice in ['all', 'none', 'last'] ? null : integers(name, choice).find { !(it in known) }
            if (absent != null) {
                throw new IllegalArgumentException("--${name} names the step ${absent}, which no checkpoint has; expected some of ${known.toSorted().join(',')}")
            }
        }
        String control = words(params.controls).find { !(it in CONTROLS + 'none') }
        if (control != null) {
            throw new IllegalArgumentException("--controls names '${control}'; expected none or some of ${CONTROLS.join(',')}")
        }
        String twice = words(params.controls).countBy { it }.find { it.value > 1 }?.key
        if (twice != null) {
            throw new IllegalArgumentException("--controls '${params.controls}' names ${twice} twice")
        }
        String shallow = grid.values.precision.find { it != 'exact' && params.top > MOST_FILTERED }
        if (shallow != null) {
            throw new IllegalArgumentException("--top ${params.top} is more than --precision ${shallow} finds; expected at most ${MOST_FILTERED}, or --precision exact")
        }
        if (groups().isEmpty()) {
            throw new IllegalArgumentException('no step has checkpoints of two seeds of one family: nothing can be correlated')
        }
        Map correlation = correlations().find { it.meta.id.length() > LONGEST_NAME }
        if (correlation != null) {
            throw new IllegalArgumentException("'${correlation.meta.id}', the name of a correlation, is longer than ${LONGEST_NAME} characters: choose a shorter name than '${correlation.meta.family}' for the family")
        }
        return this
    }

    /** The name by which tasks ask for a result: {@code STAGE/ID@SETTINGS}. */
    static String name(String stage, Map meta) {
        return "${stage}/${meta.id}@${meta.settings ?: ''}".toString()
    }

    private String within(String stage, Object id, Map combination) {
        return name(stage, [id: id, settings: grid.settings(stage, combination)])
    }

    /**
     * What is analysed: {@code [settings, tokens, meta]} for each number of tokens, the largest first. The others are the first rows
     * of its splits, so that they share what was trained and fetched; {@code meta} is that of the task that cuts them, null for the
     * largest.
     */
    List<Map> texts() {
        return grid.combinations('activate').withIndex().collect { combination, index ->
            String settings = grid.settings('activate', combination)
            [settings: settings, tokens: combination.tokens, meta: index == 0 ? null : [id: 'tokens', settings: settings]]
        }
    }

    /** {@code --split} of the token rows of {@code tokens} tokens that are cut out of more: what is trained on stays. */
    String part(String tokens) {
        Splits given = new Splits(splits())
        return given.amounts.keySet().findAll { it != 'train' }.collect { "${it}=${given.tokens(it, tokens as long)}" }.join(',')
    }

    /** Lines about what is left out, and why. */
    List<String> notes() {
        List<String> notes = []
        families().each { family, members ->
            if (stepsOf(family).size() < 2) {
                notes << "persistence is skipped for the family '${family}': it needs checkpoints of two steps or more".toString()
            }
            members.groupBy { it.step }.each { step, same ->
                if (same.size() < 2) {
                    notes << "'${same[0].id}' is not correlated: no other seed of '${family}' has step ${step}".toString()
                }
            }
        }
        return notes
    }

    /** What each split gets, as the tool's {@code --split} wants it; without training there is nothing to hold back for it. */
    String splits() {
        if (params.split) {
            return params.split
        }
        if (!trainings) {
            return 'analysis=70%,heldout=25%,examples=5%'
        }
        // a book is short, so more of it is needed to measure on; of generated text there is as much as one likes
        return params.text || params.ids || params.dataset ? 'train=80%,analysis=12%,heldout=6%,examples=2%' : 'train=90%,analysis=7%,heldout=2%,examples=1%'
    }

    /**
     * Tokens of the split {@code analysis}, at most; null where they are not known before the text is counted.
     *
     * @param tokens of all splits together; null where {@code --split} says them
     */
    Long analysed(String tokens) {
        return new Splits(splits()).tokens('analysis', tokens == null ? 0L : tokens as long)
    }

    /** Those of all {@link #texts} together. */
    Long analysed() {
        List<Long> each = texts().collect { analysed((String) it.tokens) }
        return each.contains(null) ? null : (Long) each.sum()
    }

    Map<String, List<Map>> families() {
        return checkpoints.groupBy { (String) it.family }
    }

    /** The first checkpoint of each family. */
    List<Map> firsts() {
        return families().values()*.first()
    }

    /** {@code [family, step, members]} of every (family, step) that at least two seeds have. */
    List<Map> groups() {
        return checkpoints.groupBy { [it.family, it.step] }
                .findAll { key, members -> members.size() > 1 }
                .collect { key, members -> [family: key[0], step: key[1], id: "${key[0]}-t${key[1]}".toString(), members: members] }
    }

    /** The steps of {@code family} that are correlated, ascending. */
    List<Integer> stepsOf(String family) {
        return groups().findAll { it.family == family }.collect { (Integer) it.step }.toSorted()
    }

    /** All tasks of {@code activate}. */
    List<Map> activations() {
        return texts().collectMany { text ->
            checkpoints.collect { member -> [meta: member + [settings: text.settings], text: text.settings] }
        }
    }

    /** All tasks of {@code correlate}: pairs, controls, and each seed with itself over its steps. */
    List<Map> correlations() {
        List<Map> groups = groups()
        return grid.combinations('correlate').collectMany { combination ->
            groups.collectMany { pairTasks(it, combination) + controlTasks(it, combination) }
        } + grid.combinations('self').collectMany { selfTasks(it) }
    }

    private List<Map> pairTasks(Map group, Map combination) {
        List<Map> members = group.members
        switch (params.correlate_group) {
            case 'seed':
                return (1..<members.size()).collect { last ->
                    List<String> pairs = members.take(last).collect { "${it.id}:${members[last].id}".toString() }
                    correlation("${group.id}-s${members[last].seed}", group, members.take(last + 1), [pairs: pairs.join(',')], combination)
                }
            case 'pair':
                return (0..<members.size() - 1).collectMany { first ->
                    members.drop(first + 1).collect { other ->
                        correlation("${group.id}-s${members[first].seed}-s${other.seed}", group, [members[first], other], [:], combination)
                    }
                }
            default:
                return [correlation((String) group.id, group, members, [:], combination)]
        }
    }

    private List<Map> controlTasks(Map group, Map combination) {
        if (!(group.step in chosen('control_steps', (String) group.family))) {
            return []
        }
        // token_permuted sets any position against any other one, and so cannot be had by running through the text
        boolean whole = stored.containsAll(group.members*.id)
        return words(params.controls).findAll { it != 'none' && (whole || it != 'token_permuted') }.collect { control ->
            correlation("${group.id}-${control}", group, (List<Map>) group.members, [control: control], combination)
        }
    }

    /** Ids of the checkpoints whose activations the control token_permuted would read. */
    List<String> permuted() {
        return 'token_permuted' in words(params.controls)
                ? groups().findAll { it.step in chosen('control_steps', (String) it.family) }.collectMany { it.members*.id }
                : []
    }

    /** What {@code correlate} reads of these checkpoints: stored activations, or the models themselves. */
    private Map inputs(List<Map> members, Map combination) {
        List<String> ids = members*.id
        boolean whole = stored.containsAll(ids)
        return [
            members: ids,
            source : whole ? 'activations' : 'checkpoint',
            needs  : ids.collect { whole ? within('activate', it, combination) : name('checkpoint', [id: it]) },
            text   : grid.settings('activate', combination),
            tokens : combination.tokens,
        ]
    }

    private Map correlation(String id, Map group, List<Map> members, Map options, Map combination) {
        String control = options.control ?: 'none'
        return [
            meta   : [
                id: id.toString(), family: group.family, step: group.step, control: control, settings: grid.settings('correlate', combination),
            ],
            options: [
                baseline_draws: combination.baseline_draws,
                baseline_seed : combination.baseline_seed,
                top           : params.top,
                precision     : combination.precision,
                sketch_size   : combination.precision == 'sketch' ? params.sketch_size : null,
            ] + options,
        ] + inputs(members, combination)
    }

    private List<Map> selfTasks(Map combination) {
        return persistent().collectMany { family ->
            Set<Integer> steps = stepsOf(family).toSet()
            checkpoints.findAll { it.family == family && it.step in steps }
                    .groupBy { it.seed }
                    .findAll { seed, members -> members.size() > 1 }
                    .collect { seed, members ->
                        [
                            meta   : [
                                id: "${family}-s${seed}-self".toString(), family: family, seed: seed, control: 'self',
                                settings: grid.settings('self', combination),
                            ],
                            options: [diagonal: true],
                        ] + inputs(members, combination)
                    }
        }
    }

    /**
     * The pairs of checkpoint ids of which these tasks of {@code correlate} take a whole product: in a control, the first with each
     * other one.
     */
    static List<List<String>> products(List<Map> tasks) {
        return tasks.findAll { it.meta.control != 'self' }.collectMany { task ->
            List<String> ids = task.members
            if (task.meta.control != 'none') {
                return ids.tail().collect { [ids[0], it] }
            }
            task.options.pairs
                    ? task.options.pairs.split(',').collect { it.split(':').toList() }
                    : (1..<ids.size()).collectMany { last -> ids.take(last).collect { [it, ids[last]] } }
        }
    }

    /** The stage under which what a task of {@code correlate} gives is asked for. */
    static String kind(Map meta) {
        return meta.control == 'none' ? 'correlate' : meta.control == 'self' ? 'self' : 'control'
    }

    /** All tasks of {@code identify}, one for each (family, step) and each combination that decides it. */
    List<Map> identifications() {
        Map<List, List<Map>> tasks = correlations().groupBy { [it.meta.family, it.meta.step, it.meta.settings] }
        List<Map> groups = groups()
        return grid.combinations('identify').collectMany { combination ->
            String correlated = grid.settings('correlate', combination)
            groups.collect { group ->
                [
                    meta   : [id: group.id, family: group.family, step: group.step, settings: grid.settings('identify', combination)],
                    needs  : tasks[[group.family, group.step, correlated]].collect { name(kind(it.meta), it.meta) }
                            + group.members.collectMany { [within('activate', it.id, combination), within('describe', it.id, combination)] },
                    members: group.members*.id,
                    options: [threshold: combination.universal_threshold],
                ]
            }
        }
    }

    /** Families with at least two correlated steps. */
    List<String> persistent() {
        return families().keySet().findAll { stepsOf(it).size() > 1 }.toList()
    }

    /** All tasks of {@code persist}, one for each family and combination. */
    List<Map> persistences() {
        return grid.combinations('persist').collectMany { combination ->
            List<Map> own = selfTasks(combination)
            persistent().collect { family ->
                [
                    meta : [id: family, family: family, settings: grid.settings('persist', combination)],
                    needs: stepsOf(family).collect { within('identify', "${family}-t${it}", combination) }
                            + own.findAll { it.meta.family == family }.collect { name('self', it.meta) },
                ]
            }
        }
    }

    /** All tasks of {@code ablate}: the checkpoints of the steps that {@code params.ablate_steps} names. */
    List<Map> ablations() {
        List<Map> ablated = groups().findAll { it.step in chosen('ablate_steps', (String) it.family) }
        return grid.combinations('ablate').collectMany { combination ->
            ablated.collectMany { group ->
                group.members.collect { member ->
                    [
                        meta   : member + [settings: grid.settings('ablate', combination)],
                        needs  : [
                            name('checkpoint', [id: member.id]), within('identify', group.id, combination),
                            within('activate', member.id, combination), within('describe', member.id, combination),
                        ],
                        text   : grid.settings('activate', combination),
                        options: [draws: params.ablate_draws, seed: params.ablate_seed, replace: combination.ablate_replace],
                    ]
                }
            }
        }
    }

    /** The table of all combinations side by side: one task, or none where nothing was given several values. */
    List<Map> comparisons() {
        if (!grid.swept()) {
            return []
        }
        List<String> needs = []
        List<String> rows = []
        grid.combinations().each { combination ->
            results(combination).findAll { it.split('/')[0] in ['identify', 'persist', 'ablate'] }.each { name ->
                if (!(name in needs)) {
                    needs << name
                }
                rows << ([grid.name(combination)] + combination.values() + [needs.indexOf(name)]).join(',')
            }
        }
        return [[
            meta : [id: 'sweep'],
            needs: needs,
            // one text: a list would be hashed without marks between its elements
            table: ([(['combination'] + grid.values.keySet().toList() + ['folder']).join(',')] + rows).join('\n'),
        ]]
    }

    /** All tasks of {@code report}: one for each combination and, where there are several, one for what is common to all. */
    List<Map> reports() {
        List<String> common = name('tokenize', [id: 'tokens']).with { [it] } + trainings.collect { name('train', it) } + origins.keySet().collect { name('fetch', [id: it]) }
        return grid.combinations().collect { combination ->
            Map text = texts().find { it.settings == grid.settings('activate', combination) }
            [
                meta : [id: 'report', settings: grid.settings('report', combination)],
                needs: (text.meta ? [name('tokenize', text.meta)] + common.drop(1) : common) + results(combination),
            ]
        } + comparisons().collect { [meta: [id: 'report', settings: 'sweep'], needs: common + [name('sweep', it.meta)]] }
    }

    /** Names of what a combination gives, by stage. */
    private List<String> results(Map combination) {
        Closure of = { List<Map> tasks, String stage, Closure kind ->
            String wanted = grid.settings(stage, combination)
            tasks.findAll { it.meta.settings == wanted }.collect { name(kind(it), it.meta) }
        }
        List<Map> correlated = planned('correlate') { correlations() }
        return of(activations(), 'activate') { 'activate' } +
                of(correlated.findAll { it.meta.control != 'self' }, 'correlate') { kind(it.meta) } +
                of(correlated.findAll { it.meta.control == 'self' }, 'self') { 'self' } +
                of(activations(), 'describe') { 'describe' } +
                of(planned('identify') { identifications() }, 'identify') { 'identify' } +
                of(planned('persist') { persistences() }, 'persist') { 'persist' } +
                of(planned('ablate') { ablations() }, 'ablate') { 'ablate' }
    }

    /** Tasks of a stage, worked out once. */
    private List<Map> planned(String stage, Closure<List<Map>> tasks) {
        return plans.computeIfAbsent(stage) { tasks() }
    }

    /** The steps of {@code family} that the parameter names: {@code all}, {@code none}, {@code last} or a list. */
    private List<Integer> chosen(String name, String family) {
        List<Integer> steps = stepsOf(family)
        Object choice = params[name]
        switch (choice.toString()) {
            case 'all': return steps
            case 'none': return []
            case 'last': return steps.takeRight(1)
            default: return integers(name, choice)
        }
    }

    private List<Map> ordered(List<Map> metas) {
        List<String> families = metas*.family.unique(false)
        return metas.withIndex()
                .toSorted { a, b ->
                    families.indexOf(a[0].family) <=> families.indexOf(b[0].family) ?: a[0].step <=> b[0].step ?: a[1] <=> b[1]
                }
                .collect { it[0] }
    }

    /** The words of a comma list; Nextflow hands a single one over as what it looks like. */
    static List<String> words(Object list) {
        return list.toString().split(',')*.trim().findAll { it }
    }

    /** A comma list of distinct whole numbers. */
    static List<Integer> integers(String name, Object list) {
        List<Integer> numbers = words(list).collect { integer(name, it) }
        if (numbers.toSet().size() < numbers.size()) {
            throw new IllegalArgumentException("--${name} '${list}' names a number twice")
        }
        return numbers
    }

    static Integer integer(String name, String text) {
        if (!(text ==~ /\d{1,9}/)) {
            throw new IllegalArgumentException("the ${name} '${text}' is not a whole number from 0 to 999999999")
        }
        return text as Integer
    }

    static String checkId(String what, Object id) {
        String text = id.toString()
        if (text.length() > LONGEST_NAME || !(text ==~ /[A-Za-z0-9]+([._-][A-Za-z0-9]+)*/)) {
            throw new IllegalArgumentException("the ${what} '${text}' is not a valid name: use letters and digits, single '.', '_' or '-' between them, at most ${LONGEST_NAME} characters")
        }
        return text
    }

    /**
     * The files and folders that {@code list} (paths and globs, separated by commas) names: in the order given, the files of a
     * glob by name. What is there under a name is meant by it, whatever a glob would make of the name.
     */
    static List<Path> files(String name, Object list) {
        List<String> words = words(list)
        if (!words) {
            throw new IllegalArgumentException("--${name} '${list}' names no file")
        }
        return words.collectMany { word ->
            List<Path> found = !new File(word).exists() && word =~ /[*?\[{]/ ? glob(name, word) : [Path.of(word)]
            Path absent = found.find { !Files.isRegularFile(it) && !Files.isDirectory(it) }
            if (found.isEmpty() || absent != null) {
                throw new IllegalArgumentException("--${name} '${word}' is no file that exists")
            }
            return found*.toAbsolutePath()*.normalize()
        }
    }

    /**
     * A digest of the names, sizes and times of all files in the folders among {@code paths}; null where there is no folder.
     * Nextflow looks at a folder's own time only, which a file that changes inside leaves as it is.
     */
    static String state(List<Path> paths) {
        List<Path> folders = paths.findAll { Files.isDirectory(it) }
        if (!folders) {
            return null
        }
        List<String> lines = folders.collectMany { folder ->
            List<String> files = []
            folder.toFile().eachFileRecurse(FileType.FILES) { files << "${folder.relativize(it.toPath())} ${it.length()} ${it.lastModified()}".toString() }
            files.toSorted()
        }
        return MessageDigest.getInstance('SHA-256').digest(lines.join('\n').getBytes('UTF-8')).encodeHex().toString()
    }

    private static List<Path> glob(String name, String pattern) {
        File file = new File(pattern).absoluteFile
        if (!file.parentFile.exists() && file.parent =~ /[*?\[{]/) {
            throw new IllegalArgumentException("--${name} '${pattern}' has a wildcard in a folder's name; only file names may have one")
        }
        PathMatcher matcher = matcher(name, pattern, file.name)
        return (file.parentFile.listFiles() ?: new File[0])
                .collect { it.toPath() }
                .findAll { Files.isRegularFile(it) && matcher.matches(it.fileName) }
                .toSorted()
    }

    private static PathMatcher matcher(String name, String pattern, String glob) {
        try {
            return FileSystems.default.getPathMatcher('glob:' + glob)
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException("--${name} '${pattern}' is no file that exists, and no pattern of file names: ${e.description}")
        }
    }

    /** Rows of a comma-separated file; cells may be quoted, empty lines are left out. */
    static List<List<String>> csv(Path file) {
        return rows(file.getText('UTF-8'))
    }

    /** Rows of comma-separated text, likewise. */
    static List<List<String>> rows(String text) {
        return text.readLines()
                .collect { it.startsWith('\uFEFF') ? it.substring(1) : it }
                .findAll { it.trim() }
                .collect { line -> cells(line) }
    }

    private static List<String> cells(String line) {
        List<String> cells = []
        // possessive, for each step back that could be taken is a frame on the stack, and cells are long
        def matcher = line =~ /\G(?:"((?:[^"]++|"")*+)"|([^",]*))(?:,|$)/
        int end = 0
        while (matcher.find() && matcher.start() == end) {
            cells << (matcher.group(1) != null ? matcher.group(1).replace('""', '"') : matcher.group(2))
            end = matcher.end()
            if (end == line.length() && !line.endsWith(',')) {
                break
            }
            if (end == line.length()) {
                cells << ''
                break
            }
        }
        if (end < line.length()) {
            throw new IllegalArgumentException("the line '${line}' is no row of a comma-separated file")
        }
        return cells
    }
}
