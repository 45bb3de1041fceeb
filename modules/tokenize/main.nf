// Text, or what the generator writes, as rows of tokens in four splits that share no document.
process TOKENIZE {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta), path(text, stageAs: 'text?/*'), path(tokenizer, stageAs: 'tokenizer/*') // either may be empty
    val options
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: tokens
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' tokenize ${text ? "--text ${text}" : ''} ${tokenizer ? "--tokenizer ${tokenizer}" : ''} ${options} \\
        --out ${meta.id}
    """

    stub:
    """
    ${Stub.folder('tokenize', meta.id, [:])}
    ${['train', 'analysis', 'heldout', 'examples'].collect { split -> Stub.nested('tokenize', split, "${meta.id}/${split}", ['tokenizer.json': '{}']) }.join('\n')}
    """
}
