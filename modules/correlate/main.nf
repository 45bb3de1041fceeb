// Which neuron of another model fires most like each neuron of this one: all pairs of a group, one control of them, or
// (diagonal) each neuron with itself over the steps of one seed.
process CORRELATE {
    tag "${meta.id}"
    label 'compute'

    input:
    tuple val(meta), path(activations, stageAs: 'activations/*'), val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: correlations
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' correlate --activations ${activations} --group ${meta.id} ${options} \\
        --threads ${task.cpus} --memory ${Tasks.blocks(task.memory, task.previousTrace)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('correlate', meta.id, ['summary.json': '{"pairs": []}'])}
    """
}
