// Links or downloads a checkpoint, or the text of a dataset, and verifies it. Not cached by Nextflow: it looks after its own
// cache, where what was verified keeps its path, so that what follows stays cached. HF_TOKEN and the other variables of the hub
// reach the tool through the task's environment; they must never be written into the script, which everybody can read.
process FETCH {
    tag "${meta.id}"
    label 'transfer'
    cache false

    input:
    tuple val(meta), val(source), val(options) // where from; id, revision, kind, cache
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: fetched
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' fetch --source ${Shell.quote(source)} ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.cached('fetch', meta.id, options, ['config.json': '{}'])}
    """
}
