package unit.support

import java.nio.file.Files
import java.nio.file.Path
import java.time.OffsetDateTime

/**
 * What RO-Crate 1.1, Workflow RO-Crate 1.0 and the Process, Workflow and Provenance Run Crate profiles 0.5 say that a crate MUST
 * have, as far as it is about entities that this project's crates hold. Written from the specifications' text:
 * https://w3id.org/ro/crate/1.1, https://w3id.org/workflowhub/workflow-ro-crate/1.0, https://w3id.org/ro/wfrun/provenance/0.5.
 */
class CrateRules {
    private static final String FILE_NAME = 'ro-crate-metadata.json'
    private static final List<String> ACTIONS = ['CreateAction', 'ActivateAction', 'UpdateAction']
    private static final List<String> TOOLS = ['SoftwareApplication', 'SoftwareSourceCode', 'ComputationalWorkflow']

    private final Path folder
    private final List<Map> graph
    private final Map<String, Map> byId
    private final Object context
    private final List<String> problems = []

    private CrateRules(Map crate, Path folder) {
        this.folder = folder
        context = crate['@context']
        graph = crate['@graph'] instanceof List ? crate['@graph'] : []
        byId = graph.collectEntries { [(it['@id']): it] }
    }

    /** Every rule that the crate in {@code folder} breaks, one line each. */
    static List<String> problems(Map crate, Path folder) {
        CrateRules rules = new CrateRules(crate, folder)
        rules.document()
        if (!rules.problems) {
            rules.root()
            rules.entities()
            rules.workflow()
            rules.actions()
            rules.steps()
        }
        rules.problems
    }

    private void must(boolean holds, String rule) {
        if (!holds) {
            problems << rule
        }
    }

    static List types(Map entity) {
        [entity['@type']].flatten() - null
    }

    /** Ids that a property refers to. */
    static List<String> ids(Map entity, String property) {
        [entity[property]].flatten().findAll { it instanceof Map }*.get('@id')
    }

    List<Map> ofType(String type) {
        graph.findAll { type in types(it) }
    }

    private void document() {
        must('https://w3id.org/ro/crate/1.1/context' in [context].flatten(), '@context names RO-Crate 1.1')
        must(!graph.isEmpty(), '@graph is a list of entities')
        must(graph.every { it['@id'] instanceof String && it['@type'] != null }, 'every entity has an @id and an @type')
        must(byId.size() == graph.size(), 'every @id is there once')
        must(byId.containsKey(FILE_NAME), "there is the entity ${FILE_NAME}")
        must(byId.containsKey('./'), 'there is the root ./')
    }

    private void root() {
        Map file = byId[FILE_NAME]
        must('CreativeWork' in types(file), 'the metadata file is a CreativeWork')
        must(ids(file, 'about') == ['./'], 'the metadata file is about the root')
        must('https://w3id.org/ro/crate/1.1' in ids(file, 'conformsTo'), 'the metadata file conforms to RO-Crate 1.1')
        Map root = byId['./']
        must('Dataset' in types(root), 'the root is a Dataset')
        must(isTime(root.datePublished), 'the root has a datePublished in ISO 8601')
        ['name', 'description', 'license'].each { must(root[it] as boolean, "the root has a ${it}") }
        ['process', 'workflow', 'provenance'].each { level ->
            String profile = "https://w3id.org/ro/wfrun/${level}/0.5"
            must(profile in ids(root, 'conformsTo'), "the root conforms to ${profile}")
            must(byId[profile] != null && 'CreativeWork' in types(byId[profile]), "${profile} is a CreativeWork of the crate")
        }
    }

    private static boolean isTime(Object text) {
        try {
            OffsetDateTime.parse(text as String)
            return true
        } catch (Exception ignored) {
            return false
        }
    }

    private void entities() {
        Set<String> parts = reached('./')
        graph.each { entity ->
            String id = entity['@id']
            must(validAddress(id), "the id '${id}' is an address")
            entity.each { property, value ->
                must(value != null && value != [], "'${id}' leaves ${property} out rather than empty")
                [value].flatten().each {
                    must(!(it instanceof Map) || it.keySet() == ['@id'] as Set, "'${id}' refers by ${property} to an entity instead of nesting it")
                }
                if (property != '@type') {
                    ids(entity, property).findAll { !it.startsWith('http') }.each { must(byId.containsKey(it), "'${id}' refers by ${property} to '${it}', which is there") }
                }
            }
            boolean data = ('File' in types(entity) || 'Dataset' in types(entity)) && id != './'
            if (data) {
                must(id in parts, "the data entity '${id}' is a part of the root")
                must(!id.startsWith('#') && !id.startsWith('/') && !id.contains('..'), "the data entity '${id}' is a path below the root")
                Path path = folder.resolve(new URI(id).path)
                must('File' in types(entity) ? Files.isRegularFile(path) : Files.isDirectory(path), "'${id}' is in the folder")
                must('File' in types(entity) || id.endsWith('/'), "the folder '${id}' ends with /")
            }
        }
    }

    private Set<String> reached(String from) {
        Set<String> found = [from] as LinkedHashSet
        List<String> open = [from]
        while (open) {
            List<String> next = ids(byId[open.removeLast()] ?: [:], 'hasPart').findAll { found.add(it) }
            open.addAll(next)
        }
        found
    }

    private static boolean validAddress(String id) {
        try {
            return !new URI(id).toString().isEmpty()
        } catch (URISyntaxException ignored) {
            return false
        }
    }

    private void workflow() {
        List<String> main = ids(byId['./'], 'mainEntity')
        must(main.size() == 1, 'the root has one mainEntity')
        Map workflow = byId[main[0]] ?: [:]
        must(types(workflow).containsAll(['File', 'SoftwareSourceCode', 'ComputationalWorkflow']), 'the main workflow is a File, SoftwareSourceCode and ComputationalWorkflow')
        List<String> languages = ids(workflow, 'programmingLanguage')
        must(languages.size() == 1 && 'ComputerLanguage' in types(byId[languages[0]] ?: [:]), 'the main workflow has a programmingLanguage')
        must(!ids(workflow, 'hasPart').isEmpty(), 'the main workflow has its tools as hasPart')
        must(!ids(workflow, 'step') || 'HowTo' in types(workflow), 'a workflow with steps is a HowTo')
        ofType('FormalParameter').each { must(it.additionalType as boolean, "the parameter '${it['@id']}' has an additionalType") }
        ids(workflow, 'input').each { must('FormalParameter' in types(byId[it] ?: [:]), "the input '${it}' is a FormalParameter") }
        must(ofType('CreateAction').any { ids(it, 'instrument') == main }, 'the run of the main workflow is a CreateAction')
    }

    private void actions() {
        Set<String> tools = ofType('ComputationalWorkflow').collectMany { ids(it, 'hasPart') + it['@id'] }
        Set<String> mentioned = ids(byId['./'], 'mentions')
        graph.findAll { types(it).intersect(ACTIONS) }.each { action ->
            String id = action['@id']
            List<String> instrument = ids(action, 'instrument')
            must(instrument.size() == 1 && types(byId[instrument[0]] ?: [:]).intersect(TOOLS), "'${id}' has a tool as its instrument")
            must(instrument.every { it in tools }, "the tool of '${id}' is a part of the workflow")
            must(id in mentioned, "the root mentions '${id}'")
            must(action.error == null || ids(action, 'actionStatus') == ['http://schema.org/FailedActionStatus'], "'${id}' has an error only if it failed")
            ['startTime', 'endTime'].findAll { action[it] != null }.each { must(isTime(action[it]), "'${id}' has a ${it} in ISO 8601") }
            ids(action, 'resourceUsage').each { quantity ->
                Map usage = byId[quantity] ?: [:]
                must('PropertyValue' in types(usage) && usage.propertyID != null && usage.value != null, "'${quantity}' is a PropertyValue with propertyID and value")
            }
        }
    }

    private void steps() {
        Set<String> steps = ofType('ComputationalWorkflow').collectMany { ids(it, 'step') }
        ofType('HowToStep').each { step ->
            must(step['@id'] in steps, "the step '${step['@id']}' is a step of the workflow")
            must(ids(step, 'workExample').size() == 1, "the step '${step['@id']}' has its tool as workExample")
        }
        ofType('ControlAction').each { control ->
            must(ids(control, 'instrument').size() == 1 && ids(control, 'instrument').every { 'HowToStep' in types(byId[it] ?: [:]) },
                    "'${control['@id']}' has a HowToStep as its instrument")
            must(ids(control, 'object') && ids(control, 'object').every { types(byId[it] ?: [:]).intersect(ACTIONS) }, "'${control['@id']}' has actions as its object")
        }
        ofType('OrganizeAction').each { organize ->
            must(ids(organize, 'instrument').size() == 1, "'${organize['@id']}' has the engine as its instrument")
            must(ids(organize, 'object').any { 'ControlAction' in types(byId[it] ?: [:]) }, "'${organize['@id']}' has the executions of steps as its object")
            must(ids(organize, 'result').any { 'CreateAction' in types(byId[it] ?: [:]) }, "'${organize['@id']}' has the run as its result")
        }
    }
}
