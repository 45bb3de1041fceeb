// Links or downloads a checkpoint and verifies it. Not cached by Nextflow: it looks after its own cache, where a verified
// checkpoint keeps its path, so that what follows stays cached.
process FETCH {
    tag "${meta.id}"
    label 'transfer'
    cache false

    input:
    tuple val(meta), val(source), val(options) // where from; revision and kind
    val store // folder in which checkpoints are kept
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: checkpoint
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' fetch --source ${Shell.quote(source)} ${options} \\
        --id ${meta.id} --family ${meta.family} --seed ${meta.seed} --step ${meta.step} \\
        --cache ${Shell.quote(store)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('fetch', meta.id, ['config.json': '{}'])}
    """
}
