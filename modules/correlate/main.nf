// Which neuron of another model fires most like each neuron of this one: all pairs of a group, one control of them, or
// (diagonal) each neuron with itself over the steps of one seed.
process CORRELATE {
    tag "${meta.id}"
    label 'compute'

    input:
    tuple val(meta),
        val(source), // the option that takes them: activations, or checkpoint where the models are to be run over the tokens
        path(models, stageAs: 'models/*'),
        path(tokens, stageAs: 'tokens'), // may be empty
        val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: correlations
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' correlate --${source} ${models} ${Shell.files('--tokens', tokens)} --group ${meta.id} ${options} \\
        --threads ${task.cpus} --memory ${Tasks.blocks(task.memory, task.previousTrace)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('correlate', meta.id, ['summary.json': '{"pairs": []}'])}
    """
}
