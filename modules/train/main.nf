// One seed of a small model, saved at several steps. One thread of a processor: the same seed gives the same bytes.
process TRAIN {
    tag "${meta.id}"
    label 'train'
    cache 'deep' // the configurations that come with the project get new times whenever it is cloned

    input:
    tuple val(meta), val(steps) // [id, family, seed]; the steps to save, ascending
    path tokens, stageAs: 'tokens'
    path config, stageAs: 'model.json'
    val digest

    output:
    tuple val(meta), path("${meta.id}"), emit: run // a checkpoint folder for each step, and the loss curve
    path "${meta.id}.resources.json", emit: resources

    script:
    """
    'universality' train --tokens ${tokens} --config ${config} --family ${meta.family} --seed ${meta.seed} \\
        --steps ${steps.join(',')} --device cpu --threads 1 --memory ${Tasks.blocks(task.memory)} --out ${meta.id} --overwrite
    """

    stub:
    """
    ${Stub.folder('train', meta.id, ['losses.csv': Stub.csv('step,tokens,learning_rate,loss,gradient_norm')])}
    ${steps.collect { step -> Stub.nested('train', "${meta.id}-t${step}", "${meta.id}/${meta.id}-t${step}", ['config.json': '{}']) }.join('\n')}
    """
}
