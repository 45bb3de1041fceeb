package nf.universality

import java.nio.file.Path
import nextflow.Session
import nextflow.plugin.extension.Function
import nextflow.plugin.extension.PluginExtensionPoint

/** {@code include { studyGrid; studySheet; studyPlan } from 'plugin/nf-universality'}; see {@link StudyPlanning}. */
class StudyFunctions extends PluginExtensionPoint {
    private StudyPlanning planning

    @Override
    protected void init(Session session) {
        // Nextflow keeps plugins unpacked
        planning = new StudyPlanning(Path.of(StudyFunctions.getResource('/nextflow_schema.json').toURI()))
    }

    @Function
    List<Map> studyGrid(Map options = [:]) {
        return planning.grid(options)
    }

    @Function
    List<Map> studySheet(Object path, Map options = [:]) {
        return planning.sheet(path, options)
    }

    @Function
    Map studyPlan(Map options = [:]) {
        return planning.plan(options)
    }
}
