package nf.universality

import java.nio.file.Path

/**
 * The planning of this pipeline for others, by the same classes (lib/Study.groovy). Options are the pipeline's parameters
 * (nextflow_schema.json), with its defaults. What is given back are plain maps and lists, whose metas are safe to be hashed by
 * Nextflow: the first key is an id that no other has, numbers are Integers, nothing is null.
 */
class StudyPlanning {
    private final Parameters parameters

    /** @param schema nextflow_schema.json */
    StudyPlanning(Path schema) {
        parameters = new Parameters(schema)
    }

    /** {@code [id, family, seed, step]} for each of {@code seeds × steps}, by step, then in the order of the seeds. */
    List<Map> grid(Map<String, Object> options) {
        if (options.input != null) {
            throw new IllegalArgumentException('studyGrid makes checkpoints of seeds and steps; for a samplesheet there is studySheet(path)')
        }
        return study(options).checkpoints
    }

    /** {@code [id, family, seed, step, source, revision]} for each row of a samplesheet; without a revision that is ''. */
    List<Map> sheet(Object path, Map<String, Object> options) {
        Study study = study(options + [input: path.toString()])
        return study.checkpoints.collect { meta -> meta + study.origins[(String) meta.id] }
    }

    /**
     * Everything that is planned at launch: {@code checkpoints}, {@code trainings} ([id, family, seed]), {@code groups}
     * ([family, step, id, members]), the tasks of {@code correlate}, {@code identify}, {@code persist} and {@code ablate} (each
     * with {@code meta} and {@code needs}, names STAGE/ID in a fixed order), and {@code notes} about what is left out.
     */
    Map<String, Object> plan(Map<String, Object> options) {
        Study study = study(options)
        return [
            checkpoints: study.checkpoints,
            trainings  : study.trainings,
            groups     : study.groups(),
            correlate  : study.correlations(),
            identify   : study.identifications(),
            persist    : study.persistences(),
            ablate     : study.ablations(),
            notes      : study.notes(),
        ]
    }

    /** @throws IllegalArgumentException with one line, where the pipeline would refuse the parameters at launch */
    private Study study(Map<String, Object> options) {
        Map<String, Object> given = options.collectEntries { name, value -> [(name.toString()): plain(value)] }
        String problem = parameters.problem(given)
        if (problem != null) {
            throw new IllegalArgumentException(problem)
        }
        Map<String, Object> values = parameters.schema.collectEntries { name, rule -> [(name): rule.default] } + given
        return values.input == null ? Study.trained(values) : Study.given(Path.of(values.input.toString()).toAbsolutePath(), values)
    }

    /** Lists become the comma lists that parameters are. */
    private static Object plain(Object value) {
        if (value instanceof Collection) {
            return value.join(',')
        }
        return value == null || value instanceof Number || value instanceof Boolean ? value : value.toString()
    }
}
