// Text, or what the generator writes, as rows of tokens in splits that share no document; or the first of such rows.
process TOKENIZE {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta),
        path(text, stageAs: 'text?/*'), // files and folders; this and what follows may be empty
        path(ids, stageAs: 'ids/*'),
        path(tokenizer, stageAs: 'tokenizer/*'),
        path(rows, stageAs: 'rows/*'), // what this process made before
        val(options)
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: tokens
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' tokenize ${Shell.files('--text', text)} ${Shell.files('--ids', ids)} \\
        ${Shell.files('--tokenizer', tokenizer)} ${Shell.files('--part-of', rows)} ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('tokenize', meta.id, [:])}
    ${['train', 'analysis', 'heldout', 'examples'].collect { split -> Stub.nested('tokenize', split, "${meta.id}/${split}", ['tokenizer.json': '{}']) }.join('\n')}
    """
}
