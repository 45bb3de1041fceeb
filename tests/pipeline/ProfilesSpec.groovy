package pipeline

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import spock.lang.Specification
import spock.lang.TempDir

/** Every profile parses and runs the whole graph, with stubs. */
class ProfilesSpec extends Specification {
    @TempDir
    Path folder

    static final List<String> ALL =
            ['ABLATE', 'ACTIVATE', 'CORRELATE', 'DESCRIBE', 'IDENTIFY', 'PERSIST', 'REPORT', 'TOKENIZE', 'TRAIN']

    def 'the profile #profile runs everything'() {
        when:
        def result = new Pipeline(folder).run('-stub', '-profile', profile, *arguments)

        then:
        result.succeeded()
        result.processes('COMPLETED') == ALL
        result.tasks*.name.toSet().size() == result.tasks.size()
        result.tasks.size() == tasks

        where: 'tokens, trainings, two for each model, groups and controls, self, identify, persist, ablations, report'
        profile    | arguments                                                             || tasks
        'standard' | ['--seeds', '1,2', '--steps', '0,1', '--correlate_group', 'seed']      || 1 + 2 + 8 + 2 + 4 + 2 + 2 + 1 + 2 + 1
        'demo'     | []                                                                    || 1 + 5 + 50 + 5 + 4 + 5 + 5 + 1 + 5 + 1
        'laptop'   | ['--seeds', '1,2', '--steps', '0,1', '--controls', 'none']             || 1 + 2 + 8 + 2 + 0 + 2 + 2 + 1 + 2 + 1
        'gpu'      | ['--seeds', '1,2', '--steps', '0,1', '--control_steps', 'all']         || 1 + 2 + 8 + 2 + 8 + 2 + 2 + 1 + 2 + 1
    }

    def 'the profile #profile parses'() {
        when:
        Pipeline pipeline = new Pipeline(folder)
        def result = pipeline.finish(pipeline.command(['config', '-flat', '-profile', profile, Pipeline.PROJECT.toString()]))

        then:
        result.succeeded()
        result.out.contains(expected)

        where:
        profile     || expected
        'demo_long' || 'params.ablate_draws = 199'
        'gpu,slurm' || "process.'withLabel:compute'.maxForks = 0"
    }

    def 'on SLURM, GPUs are asked for where models run and nowhere else'() {
        given: 'a scheduler that runs what it is given'
        Path bin = Files.createDirectories(folder.resolve('scheduler'))
        script(bin.resolve('sbatch'), '''
            script=${@: -1}
            grep '^#SBATCH' "$script" >>"$SUBMISSIONS"
            setsid bash "$script" >/dev/null 2>&1 </dev/null &
            echo "Submitted batch job $!"
            ''')
        script(bin.resolve('squeue'), 'true')
        script(bin.resolve('scancel'), 'true')
        Pipeline pipeline = new Pipeline(folder.resolve('launch'))
        pipeline.environment = [PATH: "${bin}:${System.getenv('PATH')}".toString(), SUBMISSIONS: folder.resolve('submissions').toString()]

        when:
        def result = pipeline.run('-stub', '-profile', 'slurm,gpu', '--seeds', '1,2', '--steps', '0,1', '--slurm_partition', 'long',
                '--slurm_gpu_partition', 'gpus', '--slurm_account', 'lab', '--gpu_gres', 'gpu:a100', '--slurm_options', '--qos=high --nice', '--max_memory', '12 GB',
                '--slurm_submit_rate', '100/1s', '--slurm_poll_interval', '200 ms', '--slurm_queue_interval', '1s')

        then:
        result.succeeded()
        result.processes('COMPLETED') == ALL
        Map<String, List<String>> asked = submissions()
        asked.every { job, lines -> lines.contains('--account=lab') && lines.contains('--qos=high --nice') }
        asked.every { job, lines -> lines.contains(job =~ /ACTIVATE|CORRELATE|ABLATE/ ? '-p gpus' : '-p long') }
        asked.findAll { job, lines -> lines.contains('--gres=gpu:a100:1') }*.key.collect { (it =~ /nf-([A-Z]+)/)[0][1] }.toSet() ==
                ['ACTIVATE', 'CORRELATE', 'ABLATE'] as Set
        asked.findAll { it.key.contains('ACTIVATE') }.every { job, lines -> lines.contains('-c 8') && lines.contains('--mem 12288M') }
    }

    /** Job name to what its script asks for. */
    private Map<String, List<String>> submissions() {
        Map<String, List<String>> jobs = [:]
        String job = null
        folder.resolve('submissions').readLines()*.replaceFirst('#SBATCH ', '').each { line ->
            if (line.startsWith('-J ')) {
                job = line.substring(3)
                jobs[job] = []
            } else {
                jobs[job]?.add(line)
            }
        }
        jobs
    }

    private static void script(Path file, String body) {
        file.text = '#!/usr/bin/env bash\n' + body.stripIndent()
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString('rwxr-xr-x'))
    }
}
