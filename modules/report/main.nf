// One self-contained page over all results.
process REPORT {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta),
        path(tokenize, stageAs: 'results/tokenize/*'),
        path(train, stageAs: 'results/train/*'), // this and what follows may be empty
        path(activate, stageAs: 'results/activate/*'),
        path(correlate, stageAs: 'results/correlate/*'),
        path(describe, stageAs: 'results/describe/*'),
        path(identify, stageAs: 'results/identify/*'),
        path(persist, stageAs: 'results/persist/*'),
        path(ablate, stageAs: 'results/ablate/*'),
        path(sweep, stageAs: 'results/sweep/*'),
        path(fetch, stageAs: 'results/fetch/*')
    val options
    val digest

    output:
    path "${meta.id}", emit: report
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' report --results results ${options} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('report', meta.id, ['index.html': '<!DOCTYPE html><title>stub</title>'])}
    """
}
