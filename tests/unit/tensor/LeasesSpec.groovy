package unit.tensor

import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.ExitCode
import universality.data.ToolException
import universality.tensor.DeviceChoice
import universality.tensor.Leases
import universality.tensor.VisibleGpus

class LeasesSpec extends Specification {
    static final List<String> TWO = ['GPU-a', 'GPU-b']

    @TempDir
    Path folder

    List<Process> started = []
    List<String> said = []

    def cleanup() {
        started*.destroyForcibly()
    }

    /** Another process; what it leased is the first line that it prints. */
    private Process holder(List<String> gpus = TWO, int wanted = -1, int share = 1, long patience = 600) {
        def java = Path.of(System.getProperty('java.home'), 'bin', 'java').toString()
        def process = new ProcessBuilder(java, '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-cp', System.getProperty('java.class.path'), LeaseHolder.name,
                folder.toString(), gpus.join(','), wanted.toString(), share.toString(), patience.toString()).start()
        started << process
        process
    }

    private static String leased(Process process) {
        process.inputReader().readLine()
    }

    private Leases leases(Map options = [:]) {
        new Leases(folder, options.share ?: 1, Duration.ofSeconds(options.patience ?: 0), { said << it })
    }

    def 'processes never share a GPU, wait for one, and get that of one that was killed'() {
        given: 'two processes, which have both GPUs'
        def first = holder()
        def second = holder()
        def had = [leased(first), leased(second)]

        expect:
        had.toSorted() == ['0', '1']

        when: 'a third one, and one that does not wait'
        def third = holder()
        def told = third.errorReader().readLine()
        def hasty = holder(TWO, -1, 1, 0)

        then:
        told == 'all GPUs (2) are leased by other tasks: waiting for at most 600 seconds'
        hasty.waitFor() == ExitCode.TRY_AGAIN.status()
        hasty.errorReader().text.contains('all GPUs (2) are leased by other tasks after 0 seconds')
        third.alive

        when: 'the first one is killed'
        first.destroyForcibly().waitFor()

        then:
        leased(third) == had[0]

        when: 'the second one ends; another one sees the same GPUs in another order'
        second.outputStream.close()
        second.waitFor()
        def turned = holder(TWO.reverse())

        then:
        leased(turned) == (1 - (had[1] as int)).toString()
    }

    def 'a GPU of its own choice is waited for, even if another one is free'() {
        when:
        def first = holder(TWO, 1)
        def second = leased(first) == '1' ? holder(TWO, 1) : null

        then:
        second.errorReader().readLine() == 'gpu:1 is leased by another task: waiting for at most 600 seconds'

        when:
        first.outputStream.close()

        then:
        leased(second) == '1'
    }

    def 'in one process too a GPU has one holder, and a second close frees nobody else'() {
        given:
        def first = leases().acquire(TWO, -1)
        def second = leases().acquire(TWO, -1)

        expect:
        [first, second]*.index() == [0, 1]

        when:
        leases().acquire(TWO, -1)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.TRY_AGAIN

        when:
        first.close()
        def third = leases().acquire(TWO, -1)
        first.close()
        leases().acquire(TWO, 0)

        then:
        third.index() == 0
        thrown(ToolException)

        cleanup:
        [second, third]*.close()
    }

    def 'GPUs that may be shared are filled one after another'() {
        given:
        def held = (1..4).collect { leases(share: 2).acquire(TWO, -1) }

        expect:
        held*.index() == [0, 1, 0, 1]

        when:
        leases(share: 2).acquire(TWO, -1)

        then:
        thrown(ToolException)

        cleanup:
        held*.close()
    }

    def 'the folder is nobody else’s'() {
        given:
        def inside = folder.resolve('a/b')

        when:
        new Leases(inside, 1, Duration.ZERO, {}).acquire(TWO, -1).close()

        then:
        Files.getPosixFilePermissions(inside)*.name().toSet() == ['OWNER_READ', 'OWNER_WRITE', 'OWNER_EXECUTE'] as Set
        inside.toFile().list().toList() == ['GPU-a.0.lock']
    }

    def 'a folder that cannot hold locks is an error that says what to do'() {
        given:
        def file = Files.createFile(folder.resolve('file'))

        when:
        new Leases(file, 1, Duration.ZERO, {}).acquire(TWO, -1)

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.CANNOT_WRITE
        e.message.contains('UNIVERSALITY_LEASES')
    }

    def 'a share of #share and a wait of #wait are refused'() {
        when:
        new Leases(folder, share, Duration.ofSeconds(wait), {})

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.USAGE

        where:
        share | wait
        0     | 0
        1     | -1
    }

    def 'of #gpus, --device #name is #index'() {
        when:
        def choice = DeviceChoice.of(name, { gpus }, leases())

        then:
        choice.isGpu() == (index != null)
        index == null || choice.index() == index

        cleanup:
        choice.close()

        where:
        name    | gpus || index
        'cpu'   | TWO  || null
        'auto'  | []   || null
        'auto'  | TWO  || 0
        'gpu'   | TWO  || 0
        'GPU:1' | TWO  || 1
    }

    def '--device cpu asks for no GPUs'() {
        expect:
        !DeviceChoice.of('cpu', { throw new AssertionError() }, leases()).isGpu()
    }

    def '--device #name is refused'() {
        when:
        DeviceChoice.of(name, { gpus }, leases())

        then:
        def e = thrown(ToolException)
        e.code() == ExitCode.USAGE
        e.message.contains(part)

        where:
        name    | gpus || part
        'tpu'   | TWO  || "'tpu' is not one of auto, cpu, gpu, gpu:K"
        'gpu:'  | TWO  || "'gpu:' is not one of"
        'gpu'   | []   || 'the engine sees 0 GPUs'
        'gpu:2' | TWO  || 'the engine sees 2 GPUs'
    }

    def 'without UUIDs of the driver, CUDA_VISIBLE_DEVICES=#environment names #expected'() {
        expect:
        VisibleGpus.byEnvironment(environment, count) == expected

        where:
        environment           | count || expected
        null                  | 2     || ['GPU-number-0', 'GPU-number-1']
        '2,3'                 | 2     || ['GPU-number-2', 'GPU-number-3']
        ' 03 , 1'             | 2     || ['GPU-number-3', 'GPU-number-1']
        '1,-1,0'              | 1     || ['GPU-number-1']
        'GPU-1f2e,MIG-77/1/0' | 2     || ['GPU-1f2e', 'MIG-77-1-0']
        ''                    | 0     || []
    }

    def 'a UUID reads as the driver’s tools write it'() {
        expect:
        VisibleGpus.text((0..15).collect { it * 17 } as byte[]) == 'GPU-00112233-4455-6677-8899-aabbccddeeff'
    }

    def 'a machine without a driver has no GPUs by it'() {
        expect:
        Files.exists(Path.of('/proc/driver/nvidia')) || VisibleGpus.byDriver() == []
    }
}
