// When universal neurons appear, whether they last, and how long.
process PERSIST {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta), path(neurons, stageAs: 'neurons/*'), path(self, stageAs: 'self/*') // of all steps; of all seeds
    val options
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: persistence
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' persist --neurons ${neurons} ${Shell.files('--self', self)} ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('persist', meta.id, ['emergence.csv': Stub.csv('id,family,seed,step,layer,universal'), 'persistence.csv': Stub.csv('family,seed,layer,step_from,step_to,persistence'), 'lifetimes.csv': Stub.csv('family,seed,layer,neuron,birth_step'), 'summary.json': '{}'])}
    """
}
