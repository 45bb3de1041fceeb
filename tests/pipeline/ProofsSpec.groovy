package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import spock.lang.Specification
import spock.lang.TempDir

/**
 * What is promised of launches, relaunches and retries, and which spec holds it; what no other spec holds is here. Where nothing
 * else is said, with stubs, which take seconds.
 *
 * <table>
 * <caption>Promises</caption>
 * <tr><td>1</td><td>a launch again, with -resume, computes nothing</td>
 *     <td>{@link ResumeSpec}; with real tools {@link StudySpec}, over the demo {@code .ci/run}</td></tr>
 * <tr><td>2</td><td>after a change of a stage's code, its tasks run again and what depends on them, and nothing else</td>
 *     <td>{@link ResumeSpec}; which code belongs to a stage: {@code unit.lib.ToolDigestSpec}</td></tr>
 * <tr><td>3</td><td>after a touch of every file and an identical build, nothing does</td><td>{@link ResumeSpec}</td></tr>
 * <tr><td>4</td><td>for any grid of seeds and steps: ids are unique, numbers Integers, keys in one order, nothing is null; each
 *     task has a folder of its own</td><td>{@code unit.lib.StudySpec}; {@link ResumeSpec}</td></tr>
 * <tr><td>5</td><td>of fetched checkpoints, those deleted or damaged are fetched again, and no other</td>
 *     <td>{@code unit.fetch.HubFetchSpec}; in a study {@link HubSpec}</td></tr>
 * <tr><td>6</td><td>every process has a stub, and the whole graph runs with them</td>
 *     <td>{@code unit.lib.ModulesSpec}; {@link ProfilesSpec}, and here with what is fetched</td></tr>
 * <tr><td>7</td><td>every profile parses; unknown and mistyped parameters are named</td>
 *     <td>{@link ProfilesSpec}, and here that it has them all; {@link BadInputSpec}, {@code unit.lib.ParametersSpec}</td></tr>
 * <tr><td>8</td><td>exit codes 71, 76, 137, 140, 143 and 2147483647 are tried again as documented, others are not</td>
 *     <td>{@link RetrySpec}; 2147483647, of a job that was lost, here</td></tr>
 * <tr><td>9</td><td>nothing needs a plugin</td><td>every spec here but those of the plugin; here that none is loaded</td></tr>
 * <tr><td>10</td><td>schema, nextflow.config and docs/usage.md have the same parameters and defaults</td>
 *     <td>{@code unit.lib.ParametersSpec}</td></tr>
 * <tr><td>11</td><td>tasks that lease GPUs never share one</td><td>{@code unit.tensor.LeasesSpec}</td></tr>
 * <tr><td>12</td><td>a run that is struck, in any way, and resumed gives the same bytes, and repeats nothing that was done</td>
 *     <td>{@link FireSpec}, with the plugin; what Nextflow itself fails at without it: {@link RetriedTasksSpec}</td></tr>
 * <tr><td>13</td><td>no value is read by a shell; no token is written anywhere; nothing is written outside its folder</td>
 *     <td>{@link SecuritySpec}, {@code unit.lib.InjectionSpec}; {@link HubSpec}; {@code unit.fetch.HubTroubleSpec},
 *     {@code unit.fetch.HubFetchSpec}, {@code unit.data.OutputFolderSpec}</td></tr>
 * </table>
 */
class ProofsSpec extends Specification {
    @TempDir
    Path folder

    def 'a study of fetched checkpoints and text runs with stubs, and loads no plugin'() {
        given:
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))
        ['one', 'two'].each { Files.createDirectories(pipeline.folder.resolve(it)) }
        pipeline.folder.resolve('sheet.csv').text = 'family,seed,step,source\ntiny,1,8,one\ntiny,2,8,two\n'

        when:
        def result = pipeline.run('-profile', 'test', '-stub', '--input', 'sheet.csv', '--tokenizer', 'byte', '--dataset', 'org/text')

        then:
        result.succeeded()
        result.processes('COMPLETED') == ['ABLATE', 'ACTIVATE', 'CORRELATE', 'DESCRIBE', 'FETCH', 'FETCH_TEXT', 'IDENTIFY', 'REPORT', 'TOKENIZE']

        and:
        !pipeline.folder.resolve('.nextflow.log').readLines().any { it =~ /(?i)plugin.*(start|load|download).*universality/ }
        !Pipeline.PROJECT.resolve('nextflow.config').readLines().any { it =~ /^\s*plugins\s*\{/ }
    }

    def 'no profile is without a launch'() {
        given:
        String config = Pipeline.PROJECT.resolve('nextflow.config').text
        List<String> profiles = config.substring(config.indexOf('profiles {')).findAll(/(?m)^    (\w+) \{$/) { it[1] }
        String launches = Pipeline.PROJECT.resolve('tests/pipeline').toFile().listFiles()*.text.join('\n')

        expect:
        profiles.size() >= 6
        profiles.each { profile -> assert launches =~ /'[\w,]*\b$profile\b[\w,]*'/, profile }
    }

    def 'a job that the scheduler loses is submitted again'() {
        given: 'a scheduler whose first job begins and is never heard of again'
        Path bin = Files.createDirectories(folder.resolve('scheduler'))
        script(bin.resolve('sbatch'), """
            echo submitted >>'${folder}/submissions'
            if [ "\$(wc -l <'${folder}/submissions')" -gt 1 ]; then
              setsid bash "\${@: -1}" >/dev/null 2>&1 </dev/null &
            else
              touch "\$(dirname "\${@: -1}")/.command.begin"
            fi
            echo 'Submitted batch job 1'
            """)
        script(bin.resolve('squeue'), 'true')
        script(bin.resolve('scancel'), 'true')
        Path project = Files.createDirectories(folder.resolve('project/lib')).parent
        ['Tasks', 'Shell'].each { Files.copy(Pipeline.PROJECT.resolve("lib/${it}.groovy"), project.resolve("lib/${it}.groovy")) }
        project.resolve('main.nf').text = '''
            process TOOL {
                output:
                stdout
                script:
                """
                echo 'attempt ${task.attempt}'
                """
            }
            workflow {
                TOOL()
                TOOL.out.view()
            }
            '''.stripIndent()
        project.resolve('nextflow.config').text = """
            params { max_cpus = null; max_memory = null; max_time = null; outdir = 'results'; publish_mode = 'copy'; tables_memory = '100 MB'
                     save_tokens = false; save_checkpoints = false; save_activations = false }
            includeConfig '${Pipeline.PROJECT}/conf/base.config'
            process.executor = 'slurm'
            executor { pollInterval = '200 ms'; queueStatInterval = '1 s'; exitReadTimeout = '2 s' }
            """
        Pipeline pipeline = new Pipeline(folder.resolve('launch'), project)
        pipeline.environment = [PATH: "${bin}:${System.getenv('PATH')}".toString()]

        when:
        def result = pipeline.run()

        then:
        result.succeeded()
        result.out.readLines()*.trim().findAll() == ['attempt 2']
        result.tasks.collect { [it.status, it.exit] } == [['FAILED', '-'], ['COMPLETED', '0']] // a hyphen is 2147483647

        and: 'which is said so'
        pipeline.folder.resolve('.nextflow.log').text.contains('terminated for an unknown reason')
    }

    private static void script(Path file, String body) {
        file.text = '#!/usr/bin/env bash\n' + body.stripIndent()
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString('rwxr-xr-x'))
    }
}
