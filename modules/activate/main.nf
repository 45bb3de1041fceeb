// Runs a checkpoint over the tokens: moments, best examples and, if asked, every MLP activation.
process ACTIVATE {
    tag "${meta.id}"
    label 'compute'

    input:
    tuple val(meta), path(checkpoint, stageAs: 'checkpoint/*'), path(tokens, stageAs: 'tokens'), val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: activations
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' activate --checkpoint ${checkpoint} --tokens ${tokens} ${options} \\
        --threads ${task.cpus} --memory ${Tasks.blocks(task.memory, task.previousTrace)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('activate', meta.id, ['moments.safetensors': '', 'examples.safetensors': '', 'layer-00.safetensors': ''])}
    """
}
