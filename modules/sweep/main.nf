// What every combination of parameters found, side by side.
process SWEEP {
    tag "${meta.id}"
    label 'tables'

    input:
    tuple val(meta),
        path(folders, stageAs: 'in?/*'), // of identify, persist and ablate
        val(table) // which combination each belongs to: CSV whose last cell is the place in `folders`, from 0
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: comparison
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    printf %s ${Shell.quote(Grid.placed(table, folders))} > combinations.csv
    'universality' sweep --combinations combinations.csv --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('sweep', meta.id, ['sweep.csv': Stub.csv('combination,family,step,seed,share')])}
    """
}
