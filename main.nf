#!/usr/bin/env nextflow

// Which neurons of independently trained language models are the same neuron, when do they appear, do they last, and what
// breaks without them? Checkpoints (seeds x steps) and text in, tables and a report out. See docs/usage.md.

include { ABLATE    } from './modules/ablate/main'
include { ACTIVATE  } from './modules/activate/main'
include { CORRELATE } from './modules/correlate/main'
include { DESCRIBE  } from './modules/describe/main'
include { FETCH     } from './modules/fetch/main'
include { FETCH as FETCH_TEXT } from './modules/fetch/main'
include { IDENTIFY  } from './modules/identify/main'
include { PERSIST   } from './modules/persist/main'
include { REPORT    } from './modules/report/main'
include { SWEEP     } from './modules/sweep/main'
include { TOKENIZE  } from './modules/tokenize/main'
include { TOKENIZE as TOKENIZE_PART } from './modules/tokenize/main'
include { TRAIN     } from './modules/train/main'

// Results under the name by which the plan (lib/Study.groovy) asks for them.
def named(stage, results) {
    return results.map { meta, folder -> tuple(Study.name(stage, meta), folder) }
}

// A tuple of [task, its results by name] for each planned task, as soon as all it needs is there. The order of the results is
// the plan's, never that of arrival: it enters the hash of the task. `plan` is a value, [tasks: list].
def gather(plan, results) {
    def ch_users = plan.map { planned ->
        def users = [:]
        planned.tasks.each { task -> task.needs.each { name -> users.computeIfAbsent(name) { _key -> [] } << task } }
        [users: users]
    }
    return results
        .combine(ch_users)
        .flatMap { name, folder, found ->
            found.users.getOrDefault(name, []).collect { task -> tuple(groupKey(Study.name('', task.meta), task.needs.size()), task, name, folder) }
        }
        .groupTuple()
        .map { _key, tasks, names, folders ->
            def found = [names, folders].transpose().collectEntries { name, folder -> [(name): folder] }
            tuple(tasks[0], tasks[0].needs.collectEntries { name -> [(name): found[name]] })
        }
}

// Those results of a stage that a task needs, in order.
def of(stage, needs) {
    return needs.findAll { name, _folder -> name.startsWith("${stage}/") }.collect { _name, folder -> folder }
}

// Takes this run out of the history: it computed nothing, and a later -resume is to go on with the run before it.
def forget(name) {
    def history = nextflow.util.HistoryFile.DEFAULT
    history.findAll().findAll { run -> run.runName == name }.each { run -> history.deleteEntry(run) }
}

workflow {
    def launch = Launch.of(params, workflow.projectDir, workflow.workDir)
    if (launch.problem) {
        // not an exception: Nextflow would look for the forgotten run in its history
        System.err.println(launch.problem)
        forget(workflow.runName)
        System.exit(1)
    }
    if (launch.help || launch.plan) {
        println(launch.help ?: launch.plan)
        forget(workflow.runName)
        System.exit(0)
    }
    Trace.publish(workflow.launchDir.resolve('.nextflow/trace.txt'), file("${params.outdir}/pipeline/trace.txt"))
    def study = launch.study
    def digests = launch.digests
    // to standard error, so that they are seen in a quiet run too
    launch.notes.each { note -> System.err.println(note) }

    // Checkpoints and text that are given. The hub's files lie where every program that uses them looks, unless a folder is
    // named; what is made of other folders lies in the work folder
    def own_cache = launch.cache
    def folder_cache = own_cache ?: "${workflow.workDir}/checkpoint-cache"
    FETCH(
        channel.fromList(
            study.checkpoints.findAll { meta -> meta.id in study.origins }.collect { meta ->
                def origin = study.origins[meta.id]
                def options = [
                    revision: origin.revision ?: null,
                    offline: launch.offline,
                    cache: Study.isRepository(origin.source) ? own_cache : folder_cache,
                ]
                tuple(meta, origin.source, Shell.options(meta + options))
            }
        ),
        digests.fetch,
    )
    FETCH_TEXT(
        channel.fromList(launch.dataset ? [launch.dataset] : []).map { text ->
            def options = Shell.options(
                kind: 'dataset',
                id: 'text',
                revision: text.revision,
                offline: launch.offline,
                cache: own_cache,
            )
            def files = text.include.collect { glob -> Shell.options(include: glob) }
            tuple([id: 'text'], text.source, ([options] + files).join(' '))
        },
        digests.fetch,
    )
    // the real path in the cache, which is the same in every run, not the link in the task's folder, which is not
    def ch_fetched = FETCH.out.fetched.map { meta, folder -> tuple(meta, Launch.fetched(folder)) }
    // maps, since operators would take lists apart
    def ch_text = Channel.of([text: launch.text])
    if (launch.dataset) {
        ch_text = FETCH_TEXT.out.fetched.map { _meta, folder -> [text: Launch.fetched(folder)] }
    }
    def ch_tokenizer = Channel.of([tokenizer: launch.tokenizer ?: []])
    if (params.tokenizer == 'checkpoint') {
        def first = study.checkpoints[0].id
        ch_tokenizer = ch_fetched
            .filter { meta, _folder -> meta.id == first }
            .map { _meta, folder -> [tokenizer: Launch.tokenizerOf(folder)] }
    }

    // Text to rows of tokens, in splits that share no document
    def tokenizing = Shell.options(
        generate: launch.text || launch.ids || launch.dataset ? null : params.generate_seed,
        vocabulary: launch.ids ? params.vocabulary : null,
        tokenizer: launch.tokenizer || launch.ids || params.tokenizer == 'checkpoint' ? null : params.tokenizer,
        context: launch.ids ? null : params.context,
        tokens: study.texts()[0].tokens,
        split: study.splits(),
        text_column: launch.text || launch.dataset ? params.text_column : null,
    )
    TOKENIZE(
        ch_text.combine(ch_tokenizer).map { from, by -> tuple(launch.tokens, from.text, launch.ids ?: [], by.tokenizer, [], tokenizing) },
        digests.tokenize,
    )
    def ch_rows = TOKENIZE.out.tokens.map { _meta, folder -> folder }.first()

    // Where several numbers of tokens are studied, the smaller ones are the first rows of the largest
    TOKENIZE_PART(
        channel.fromList(study.texts().findAll { text -> text.meta })
            .combine(ch_rows)
            .map { text, folder -> tuple(text.meta, [], [], [], folder, Shell.options(split: study.part(text.tokens))) },
        digests.tokenize,
    )
    def ch_splits = ch_rows
        .map { folder -> [(study.texts()[0].settings): folder] }
        .mix(TOKENIZE_PART.out.tokens.map { meta, folder -> [(meta.settings): folder] })
        .reduce([:]) { found, one -> found + one }
        .filter { splits -> splits.size() == study.texts().size() } // else a task failed, which is said already

    // Small models
    TRAIN(
        channel.fromList(study.trainings.collect { meta -> tuple(meta, study.stepsOf(meta.family)) }),
        ch_rows.map { folder -> folder.resolve('train') },
        launch.model,
        digests.train,
    )
    def ch_trained = TRAIN.out.run.flatMap { run, folder ->
        study.checkpoints
            .findAll { meta -> meta.seed == run.seed }
            .collect { meta -> tuple(meta, folder.resolve(meta.id)) }
    }
    def ch_checkpoints = ch_trained.mix(ch_fetched)

    // Are activations stored, or do the models run again for each correlation? That depends on how many positions there are and
    // on the size of the models, which the first checkpoint of each family tells
    def firsts = study.firsts()*.id
    def ch_shapes = study.trainings
        ? Channel.of([(study.firsts()[0].family): Shape.of(launch.settings.model)])
        : ch_fetched.filter { meta, _folder -> meta.id in firsts }.map { meta, folder -> [(meta.family): Shape.read(folder)] }
    def ch_study = ch_shapes
        .reduce([:]) { shapes, found -> shapes + found }
        .filter { shapes -> study.firsts().every { meta -> shapes.containsKey(meta.family) } }
        .combine(ch_splits)
        .map { shapes, splits ->
            def counted = splits.values().collect { folder -> Storage.positions(folder.resolve('analysis')) }
            def storage = Storage.of(study, params, shapes, counted.contains(null) ? study.analysed() : counted.sum())
            storage.lines.each { line -> System.err.println(line) }
            [plan: study.storing(storage.stored), splits: splits]
        }
        .first()
    def arithmetic = params.compute == 'f32' ? null : params.compute

    ACTIVATE(
        ch_checkpoints.combine(ch_study).flatMap { meta, folder, chosen ->
            def store = meta.id in chosen.plan.stored ? [store: 'all', dtype: params.dtype] : [store: 'none']
            def options = Shell.options(store + [compute: arithmetic, device: params.device])
            chosen.splits.collect { settings, rows -> tuple(meta + [settings: settings], folder, rows.resolve('analysis'), options) }
        },
        digests.activate,
    )
    DESCRIBE(
        ch_checkpoints
            .map { meta, folder -> tuple(meta.id, folder) }
            .combine(ACTIVATE.out.activations.map { meta, folder -> tuple(meta.id, meta, folder) }, by: 0)
            .map { _id, checkpoint, meta, activations -> tuple(meta, checkpoint, activations) },
        Shell.options(raw_weights: params.raw_weights),
        digests.describe,
    )

    // Pairs, their controls, and each seed with itself
    CORRELATE(
        gather(
            ch_study.map { chosen -> [tasks: chosen.plan.correlations()] },
            named('activate', ACTIVATE.out.activations).mix(named('checkpoint', ch_checkpoints)),
        ).combine(ch_splits).map { task, needs, splits ->
            def live = task.source == 'checkpoint'
            def options = task.options + [compute: live ? arithmetic : null, device: params.device]
            tuple(task.meta, task.source, needs.values().toList(), live ? splits[task.text].resolve('analysis') : [], Shell.options(options))
        },
        digests.correlate,
    )
    def ch_correlations = CORRELATE.out.correlations.map { meta, folder -> tuple(Study.name(Study.kind(meta), meta), folder) }

    IDENTIFY(
        gather(
            ch_study.map { chosen -> [tasks: chosen.plan.identifications()] },
            ch_correlations.mix(named('activate', ACTIVATE.out.activations), named('describe', DESCRIBE.out.description)),
        ).map { task, needs ->
            tuple(
                task.meta,
                of('correlate', needs),
                of('control', needs),
                of('activate', needs),
                of('describe', needs),
                task.members,
                Shell.options(task.options),
            )
        },
        digests.identify,
    )
    PERSIST(
        gather(
            ch_study.map { chosen -> [tasks: chosen.plan.persistences()] },
            ch_correlations.mix(named('identify', IDENTIFY.out.neurons)),
        ).map { task, needs -> tuple(task.meta, of('identify', needs), of('self', needs)) },
        '',
        digests.persist,
    )
    ABLATE(
        gather(
            ch_study.map { chosen -> [tasks: chosen.plan.ablations()] },
            named('checkpoint', ch_checkpoints).mix(
                named('identify', IDENTIFY.out.neurons),
                named('activate', ACTIVATE.out.activations),
                named('describe', DESCRIBE.out.description),
            ),
        ).combine(ch_splits).map { task, needs, splits ->
            tuple(
                task.meta,
                of('checkpoint', needs),
                of('identify', needs),
                of('activate', needs),
                of('describe', needs),
                splits[task.text].resolve('heldout'),
                Shell.options(task.options + [device: params.device]),
            )
        },
        digests.ablate,
    )

    // Combinations side by side, a page for each, and one for all
    def ch_found = named('identify', IDENTIFY.out.neurons).mix(
        named('persist', PERSIST.out.persistence),
        named('ablate', ABLATE.out.ablation),
    )
    SWEEP(
        gather(ch_study.map { chosen -> [tasks: chosen.plan.comparisons()] }, ch_found).map { task, needs ->
            tuple(task.meta, needs.values().toList(), task.table)
        },
        digests.sweep,
    )
    REPORT(
        gather(
            ch_study.map { chosen -> [tasks: chosen.plan.reports()] },
            ch_found.mix(
                named('tokenize', TOKENIZE.out.tokens.mix(TOKENIZE_PART.out.tokens)),
                named('train', TRAIN.out.run),
                named('fetch', ch_fetched),
                named('activate', ACTIVATE.out.activations),
                named('describe', DESCRIBE.out.description),
                named('sweep', SWEEP.out.comparison),
                ch_correlations,
            ),
        ).map { task, needs ->
            tuple(
                task.meta,
                of('tokenize', needs),
                of('train', needs),
                of('activate', needs),
                of('correlate', needs) + of('control', needs) + of('self', needs),
                of('describe', needs),
                of('identify', needs),
                of('persist', needs),
                of('ablate', needs),
                of('sweep', needs),
                of('fetch', needs),
            )
        },
        '',
        digests.report,
    )

    // The handlers see no name of this script but those defined here
    def run = workflow
    def page = "${params.outdir}/report/index.html"
    workflow.onComplete {
        if (run.success) {
            println("The report: ${page}")
        }
    }
    workflow.onError {
        System.err.println(Launch.lastLine(run.errorMessage) ?: Launch.cause(run.errorReport) ?: 'failed; see .nextflow.log')
    }
}
