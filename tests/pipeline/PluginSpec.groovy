package pipeline

import groovy.json.JsonSlurper
import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Requires
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import unit.support.CrateRules
import universality.data.CsvTable
import universality.data.Manifest

/** The plugin in Nextflow: what it writes about real runs, that it never harms one, and what it offers to other pipelines. */
@Stepwise
class PluginSpec extends Specification {
    static final String PLUGIN = 'nf-universality@0.1.0'
    /** The smallest study that has results of most kinds. */
    static final List<String> STUDY =
            ['-profile', 'test', '--steps', '8', '--control_steps', 'none', '--ablate_steps', 'none', '-plugins', PLUGIN]

    /** A pipeline of somebody else, with its own class Study: tasks that end with a given exit code at their first try. */
    static final String FOREIGN = '''
        include { studyGrid; studySheet; studyPlan } from 'plugin/nf-universality'

        process MODEL {
            tag "${meta.id}"
            errorStrategy { task.exitStatus in [71, 76, 137, 140, 143] ? 'retry' : 'finish' }
            maxRetries 1
            publishDir "${params.outdir}/model", mode: 'copy'

            input:
            tuple val(meta), val(exit)

            output:
            path "${meta.id}"

            script:
            """
            if [ ${task.attempt} = 1 ] && [ ${exit} != 0 ]; then exit ${exit}; fi
            mkdir ${meta.id}
            if [ ${meta.seed} = 2 ]; then head -c 5000000 /dev/zero > ${meta.id}/manifest.json; else echo '{' > ${meta.id}/manifest.json; fi
            """
        }

        workflow {
            def exits = params.exits.toString().split(',').collect { code -> code as Integer }
            def grid = studyGrid(family: 'toy', seeds: (1..exits.size()).toList(), steps: [7])
            println("PLAN ${studyPlan(seeds: '1,2', steps: '0,9').correlate*.meta*.id} ${Study.whose()}")
            MODEL(channel.fromList([grid, exits].transpose()))
        }
        '''

    static final String VALIDATE = '''
        const fs = require('fs'), path = require('path')
        const folder = process.argv[3]
        // without network: the context is the one that the package brings along
        const context = require(process.argv[2] + '/lib/context.json')
        global.fetch = async url => url.includes('/ro/crate/') ? { ok: true, json: async () => context } : { ok: false, statusText: 'not asked for' }
        const { Validator } = require(process.argv[2] + '/lib/validator')
        const validator = new Validator()
        validator.parseJSON(fs.readFileSync(path.join(folder, 'ro-crate-metadata.json'), 'utf8'))
        validator.crate.resolveContext().then(() => validator.validate()).then(() => {
            const files = {}
            for (const name of fs.readdirSync(folder, { recursive: true })) {
                const isDir = fs.lstatSync(path.join(folder, name)).isDirectory()
                files[isDir ? name + '/' : name] = { exists: true, inCrate: false, isDir }
            }
            validator.checkFiles(files)
            console.log(JSON.stringify(validator.results))
        })
        '''

    @TempDir
    @Shared
    Path folder

    @Shared
    Pipeline study

    @Shared
    Pipeline foreign

    def 'a study: every task, every result with its digest, and a crate that is whole'() {
        given:
        study = new Pipeline(folder.resolve('study'))

        when:
        Pipeline.Result run = study.run(*STUDY)
        Map record = study.json('results/pipeline/run.json')
        CsvTable table = CsvTable.read(study.folder.resolve('results/pipeline/tasks.csv'))

        then:
        run.succeeded()
        record.run.success && record.run.exit == 0
        record.warnings == []
        record.totals.with { [it.tasks, it.tries, it.cached, it.failed] } == [run.tasks.size(), run.tasks.size(), 0, 0]
        record.totals.cpu_hours > 0
        record.stages*.stage == ['activate', 'correlate', 'describe', 'identify', 'report', 'tokenize', 'train']
        (0..<table.size()).collect { table.text(it, 'hash') }.toSet() == run.tasks*.hash.toSet()
        (0..<table.size()).every { table.number(it, 'tool_wall_seconds') > 0 && table.text(it, 'native_id') && table.text(it, 'status') == 'COMPLETED' }

        and: 'every published manifest, by the place and the digest that it has'
        Map<String, String> found = record.results.findAll { it.path }.collectEntries { [(it.path): it.digest] }
        Map<String, String> manifests = [:]
        study.folder.resolve('results').eachFileRecurse {
            if (it.fileName.toString() == 'manifest.json') {
                manifests[study.folder.resolve('results').relativize(it.parent).toString()] = Manifest.readAny(it.parent).contentDigest()
            }
        }
        manifests.size() > 8
        found == manifests
        record.inputs == [[role: 'config', id: 'model.json', digest: Pipeline.PROJECT.resolve('conf/models/test.json').bytes.sha256()]]

        and: 'what a task read is what another wrote'
        Set<String> digests = record.results*.digest as Set
        record.results.find { it.stage == 'identify' }.inputs.findAll { it.role in ['correlations', 'correlation', 'activations'] }.every { it.digest in digests }

        and:
        rules(study.folder.resolve('results')) == []

        and: 'all of it is what the manifests say; what the plugin writes is none of it'
        Tool.launch('verify', study.folder.resolve('results')).with { [it.status, it.answer.readLines().size()] } == [0, 1]
    }

    @Requires(value = { System.getenv('RO_CRATE_JS') },
            reason = 'for an independent check of the crate: npm install ro-crate, and name its folder, RO_CRATE_JS=…/node_modules/ro-crate')
    def 'the validator of the npm package ro-crate finds no error'() {
        given:
        File script = folder.resolve('validate.js').toFile()
        script.text = VALIDATE

        when:
        Process node = new ProcessBuilder('node', script.path, System.getenv('RO_CRATE_JS'), study.folder.resolve('results').toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        List<Map> found = new JsonSlurper().parse(node.inputStream)
        found.findAll { it.id != 'validCrateDataEntityInCrateDir' }.each { println("ro-crate.js: ${it.status}: ${it.message}") }

        then:
        node.waitFor() == 0
        found.count { it.status == 'success' } > 5
        found.findAll { it.status == 'error' } == []
    }

    def 'resumed: all tasks from the cache, with what they took when they ran'() {
        given:
        Map before = study.json('results/pipeline/run.json')

        when:
        Pipeline.Result run = study.run(*STUDY, '-resume')
        Map record = study.json('results/pipeline/run.json')

        then:
        run.succeeded()
        run.tasks*.status.toSet() == ['CACHED'] as Set
        record.run.resumed
        record.totals.with { [it.tasks, it.cached, it.tries, it.cpu_hours] } == [run.tasks.size(), run.tasks.size(), 0, 0.0]
        Math.abs(record.totals.cached_cpu_hours - before.totals.cpu_hours) < 1e-6
        record.earlier*.run*.name == [before.run.name]
        record.results*.digest.toSet() == before.results*.digest.toSet()
        record.results*.path.toSet() == before.results*.path.toSet()
        rules(study.folder.resolve('results')) == []
    }

    def 'another pipeline plans with it; tasks that are tried again are told of by cause; bad manifests harm nobody'() {
        given:
        foreign = new Pipeline(folder.resolve('foreign'), folder.resolve('foreign'))
        foreign.folder.resolve('main.nf').text = FOREIGN.stripIndent()
        foreign.folder.resolve('lib').toFile().mkdirs()
        foreign.folder.resolve('lib/Study.groovy').text = 'class Study { static String whose() { "their own Study" } }'

        when:
        Pipeline.Result run = foreign.run('--outdir', 'out', '--exits', '137,71,76,140,143', '--hf_token', 'hf_0123456789', '-plugins', PLUGIN)
        Map record = foreign.json('out/pipeline/run.json')

        then:
        run.succeeded()
        run.out.contains('PLAN [demo-t0, demo-t9, demo-t9-rotated, demo-t9-shifted, demo-t9-row_shifted, demo-t9-token_permuted, demo-s1-self, demo-s2-self] their own Study')
        record.retries == [device_memory: 1, killed: 1, memory: 2, time_limit: 1]
        record.failures == [:]
        record.totals.with { [it.tasks, it.tries, it.failed, it.retried] } == [5, 10, 5, 5]
        record.run.success
        record.workflow.script.sha256 == foreign.folder.resolve('main.nf').bytes.sha256()
        record.parameters.hf_token == '[hidden]'
        !foreign.folder.resolve('out/pipeline/run.json').text.contains('hf_0123456789')
        !foreign.folder.resolve('out/ro-crate-metadata.json').text.contains('hf_0123456789')

        and: 'one line about them, and the rest in the record'
        record.warnings.size() == 5
        warnings('The record of this run lacks 5') == 1
        rules(foreign.folder.resolve('out')) == []
    }

    def 'a run that fails has a record that says why'() {
        when:
        Pipeline.Result run = foreign.run('--outdir', 'failed', '--exits', '0,65', '-plugins', PLUGIN)
        Map record = foreign.json('failed/pipeline/run.json')

        then:
        run.status == 1
        !record.run.success
        record.failures.bad_data == 1
        record.retries == [:]
        rules(foreign.folder.resolve('failed')) == []
        crate('failed')['#run'].actionStatus['@id'] == 'http://schema.org/FailedActionStatus'
    }

    def 'a record that cannot be written is a warning, and the run succeeds'() {
        given: 'a file where the folder should be'
        Files.createDirectories(foreign.folder.resolve('blocked'))
        foreign.folder.resolve('blocked/pipeline').text = 'mine'

        when:
        Pipeline.Result run = foreign.run('--outdir', 'blocked', '--exits', '137,71', '-plugins', PLUGIN)

        then:
        run.succeeded()
        foreign.folder.resolve('blocked/pipeline').text == 'mine'
        warnings('The record of this run is incomplete or missing; the run itself is not affected') == 1
    }

    def 'a plugin that is asked for and absent ends the launch with a line that names it; not asked for, nothing needs it'() {
        given:
        foreign.environment = [NXF_PLUGINS_DIR: Files.createDirectories(folder.resolve('no-plugins')).toString(), NXF_OFFLINE: 'true']

        when:
        Pipeline.Result asked = foreign.run('--exits', '137', '-plugins', PLUGIN)
        foreign.folder.resolve('main.nf').text = 'workflow { println("without") }'
        Pipeline.Result without = foreign.run()

        then:
        asked.status == 1
        (asked.out + asked.err).contains('nf-universality')
        without.succeeded()
        without.out.contains('without')
    }

    /** Launches here are quiet, so that warnings are in Nextflow's log only. */
    private int warnings(String text) {
        foreign.folder.resolve('.nextflow.log').readLines().count { it.contains(' WARN ') && it.contains(text) }
    }

    private static List<String> rules(Path results) {
        CrateRules.problems(new JsonSlurper().parse(results.resolve('ro-crate-metadata.json').toFile()), results)
    }

    private Map<String, Map> crate(String outdir) {
        foreign.json("${outdir}/ro-crate-metadata.json")['@graph'].collectEntries { [(it['@id']): it] }
    }
}
