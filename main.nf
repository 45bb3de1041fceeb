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
include { TOKENIZE  } from './modules/tokenize/main'
include { TRAIN     } from './modules/train/main'

// Results under the name STAGE/ID by which the plan (lib/Study.groovy) calls them.
def named(stage, results) {
    return results.map { meta, folder -> tuple("${stage}/${meta.id}".toString(), folder) }
}

// A tuple of [task, its results by name] for each planned task, as soon as all it needs is there. The order of the results is
// the plan's, never that of arrival: it enters the hash of the task. `plan` is a value, [tasks: list].
def gather(plan, results) {
    return results
        .combine(plan)
        .flatMap { name, folder, planned ->
            planned.tasks
                .findAll { task -> name in task.needs }
                .collect { task -> tuple(groupKey(task.meta.id, task.needs.size()), task, name, folder) }
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

// All results of a stage as one list, sorted by name; empty where the stage did not run.
def all(results) {
    return results.map { _meta, folder -> folder }.toSortedList { a, b -> a.name <=> b.name }
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
    TOKENIZE(
        ch_text.combine(ch_tokenizer).map { from, by -> tuple(launch.tokens, from.text, launch.ids ?: [], by.tokenizer) },
        Shell.options(
            generate: launch.text || launch.ids || launch.dataset ? null : params.generate_seed,
            vocabulary: launch.ids ? params.vocabulary : null,
            tokenizer: launch.tokenizer || launch.ids || params.tokenizer == 'checkpoint' ? null : params.tokenizer,
            context: launch.ids ? null : params.context,
            tokens: study.splits().contains('%') ? params.tokens : null,
            split: study.splits(),
            text_column: launch.text || launch.dataset ? params.text_column : null,
        ),
        digests.tokenize,
    )
    def ch_split = TOKENIZE.out.tokens.map { _meta, folder -> folder }.first()

    // Small models
    TRAIN(
        channel.fromList(study.trainings.collect { meta -> tuple(meta, study.stepsOf(meta.family)) }),
        ch_split.map { folder -> folder.resolve('train') },
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
    def ch_analysis = ch_split.map { folder -> folder.resolve('analysis') }
    def firsts = study.firsts()*.id
    def ch_shapes = study.trainings
        ? Channel.of([(study.firsts()[0].family): Shape.of(launch.settings.model)])
        : ch_fetched.filter { meta, _folder -> meta.id in firsts }.map { meta, folder -> [(meta.family): Shape.read(folder)] }
    def ch_study = ch_shapes
        .reduce([:]) { shapes, found -> shapes + found }
        .combine(ch_analysis)
        .map { shapes, tokens ->
            def storage = Storage.of(study, params, shapes, Storage.positions(tokens) ?: study.analysed())
            storage.lines.each { line -> System.err.println(line) }
            study.storing(storage.stored)
        }
        .first()
    def arithmetic = params.compute == 'f32' ? null : params.compute

    ACTIVATE(
        ch_checkpoints.combine(ch_study).map { meta, folder, chosen ->
            def store = meta.id in chosen.stored ? [store: 'all', dtype: params.dtype] : [store: 'none']
            tuple(meta, folder, Shell.options(store + [compute: arithmetic, device: params.device]))
        },
        ch_analysis,
        digests.activate,
    )
    DESCRIBE(
        ch_checkpoints.join(ACTIVATE.out.activations, failOnDuplicate: true),
        Shell.options(raw_weights: params.raw_weights),
        digests.describe,
    )

    // Pairs, their controls, and each seed with itself
    CORRELATE(
        gather(
            ch_study.map { chosen -> [tasks: chosen.correlations()] },
            named('activate', ACTIVATE.out.activations).mix(named('checkpoint', ch_checkpoints)),
        ).combine(ch_analysis).map { task, needs, tokens ->
            def live = task.source == 'checkpoint'
            def options = task.options + [compute: live ? arithmetic : null, device: params.device]
            tuple(task.meta, task.source, needs.values().toList(), live ? tokens : [], Shell.options(options))
        },
        digests.correlate,
    )
    def ch_correlations = CORRELATE.out.correlations.branch { meta, _folder ->
        pairs: meta.control == 'none'
        self: meta.control == 'self'
        controls: true
    }

    IDENTIFY(
        gather(
            ch_study.map { chosen -> [tasks: chosen.identifications()] },
            named('correlate', ch_correlations.pairs).mix(
                named('control', ch_correlations.controls),
                named('activate', ACTIVATE.out.activations),
                named('describe', DESCRIBE.out.description),
            ),
        ).map { task, needs ->
            tuple(task.meta, of('correlate', needs), of('control', needs), of('activate', needs), of('describe', needs), task.members)
        },
        Shell.options(threshold: params.universal_threshold),
        digests.identify,
    )
    PERSIST(
        gather(
            ch_study.map { chosen -> [tasks: chosen.persistences()] },
            named('identify', IDENTIFY.out.neurons).mix(named('self', ch_correlations.self)),
        ).map { task, needs -> tuple(task.meta, of('identify', needs), of('self', needs)) },
        '',
        digests.persist,
    )
    ABLATE(
        gather(
            ch_study.map { chosen -> [tasks: chosen.ablations()] },
            named('checkpoint', ch_checkpoints).mix(
                named('identify', IDENTIFY.out.neurons),
                named('activate', ACTIVATE.out.activations),
                named('describe', DESCRIBE.out.description),
            ),
        ).map { task, needs ->
            tuple(task.meta, of('checkpoint', needs), of('identify', needs), of('activate', needs), of('describe', needs))
        },
        ch_split.map { folder -> folder.resolve('heldout') },
        Shell.options(
            draws: params.ablate_draws,
            seed: params.ablate_seed,
            replace: params.ablate_replace,
            device: params.device,
        ),
        digests.ablate,
    )

    REPORT(
        all(TOKENIZE.out.tokens)
            .concat(
                all(TRAIN.out.run),
                all(ACTIVATE.out.activations),
                all(CORRELATE.out.correlations),
                all(DESCRIBE.out.description),
                all(IDENTIFY.out.neurons),
                all(PERSIST.out.persistence),
                all(ABLATE.out.ablation),
                all(ch_fetched),
            )
            .toList()
            .map { results -> [[id: 'report']] + results },
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
        System.err.println(Launch.lastLine(run.errorMessage) ?: 'failed; see .nextflow.log')
    }
}
