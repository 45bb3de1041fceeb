// Excess correlation and the universal set of every checkpoint of one step.
process IDENTIFY {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta),
        path(correlations, stageAs: 'correlations/*'),
        path(controls, stageAs: 'controls/*'), // may be empty
        path(activations, stageAs: 'activations/*'),
        path(descriptions, stageAs: 'descriptions/*'),
        val(members), // ids of the checkpoints
        val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: neurons
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' identify --correlations ${correlations} ${Shell.files('--controls', controls)} \\
        --activations ${activations} --descriptions ${descriptions} ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('identify', meta.id, members.collectEntries { id -> ["${id}.csv".toString(), Stub.csv('layer,neuron,excess_corr,universal', [universal: true])] } + ['summary.json': '{}'])}
    """
}
