// Links or downloads a checkpoint and verifies it. Not cached by Nextflow: it looks after its own cache, where a verified
// checkpoint keeps its path, so that what follows stays cached. HF_TOKEN and the other variables of the hub reach the tool
// through the task's environment; they must never be written into the script, which everybody can read.
process FETCH {
    tag "${meta.id}"
    label 'transfer'
    cache false

    input:
    tuple val(meta), val(source), val(options) // where from; revision, cache
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: checkpoint
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' fetch --source ${Shell.quote(source)} ${options} \\
        --id ${meta.id} --family ${meta.family} --seed ${meta.seed} --step ${meta.step} \\
        --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('fetch', meta.id, ['config.json': '{}'])}
    """
}
