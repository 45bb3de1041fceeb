// What can be said of each neuron of one checkpoint alone: weights and moments.
process DESCRIBE {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta), path(checkpoint, stageAs: 'checkpoint/*'), path(activations, stageAs: 'activations/*')
    val options
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: description
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' describe --checkpoint ${checkpoint} --activations ${activations} ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('describe', meta.id, [("${meta.id}.csv".toString()): Stub.csv('layer,neuron,w_in_norm')])}
    """
}
