// What a model loses without its universal neurons, beside equally many others.
process ABLATE {
    tag "${meta.id}"
    label 'compute'

    input:
    tuple val(meta),
        path(checkpoint, stageAs: 'checkpoint/*'),
        path(neurons, stageAs: 'neurons/*'), // the tables of the checkpoint's step
        path(activations, stageAs: 'activations/*'),
        path(descriptions, stageAs: 'descriptions/*'),
        path(tokens, stageAs: 'tokens'),
        val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: ablation
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' ablate --checkpoint ${checkpoint} --tokens ${tokens} --neurons ${neurons}/${meta.id}.csv \\
        --activations ${activations} --descriptions ${descriptions} ${options} \\
        --threads ${task.cpus} --memory ${Tasks.blocks(task.memory, task.previousTrace)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('ablate', meta.id, ['ablation.csv': Stub.csv('condition,layers,replace,draw,neurons,loss_clean,loss', [condition: 'universal', layers: 'all', replace: 'zero']), 'summary.csv': Stub.csv('layers,replace,control,neurons,p')])}
    """
}
