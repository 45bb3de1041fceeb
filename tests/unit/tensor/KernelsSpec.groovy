package unit.tensor

import ai.djl.engine.EngineException
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipFile
import spock.lang.Requires
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import universality.data.ExitCode
import universality.data.Manifest
import universality.tensor.Compute
import universality.tensor.Kernel
import universality.tensor.Kernels

class KernelsSpec extends Specification {
    static final Path PROJECT = Path.of('..').toAbsolutePath().normalize()
    static final String PYTHON = '/usr/bin/python3'

    @TempDir
    Path folder

    def 'every source is in the list, and nothing else'() {
        given:
        def sources = PROJECT.resolve('bin-java/src/main/resources/kernels').toFile().list().collect { it - '.py' }

        expect:
        Kernels.names() + Kernels.names().collectMany { Kernels.shared(it) } + Kernels.ONEDNN as Set == sources as Set
    }

    def 'every kernel compiles, with the products of either library, and no other can be asked for'() {
        given:
        def compute = Compute.start('cpu', 1)
        def libraries = System.getProperty('os.arch') == 'amd64' ? [false, true] : [false]

        when:
        Kernels.names().each { name -> libraries.each { Kernel.load(compute.manager(), name, it).close() } }

        then:
        noExceptionThrown()

        when:
        compute.kernel(asked)

        then:
        thrown(IllegalArgumentException)

        cleanup:
        compute.close()

        where:
        asked << ['gpt3', 'transformer']
    }

    def 'all kernels are written as archives, twice with the same bytes'() {
        when:
        def first = Tool.run('kernels', '--out', folder.resolve('a'))
        def second = Tool.run('kernels', '--out', folder.resolve('b'))

        then:
        [first, second]*.status == [0, 0]
        def manifest = Manifest.read(folder.resolve('a'), 'kernels')
        manifest.files()*.path() == Kernels.names().collect { "${it}.pt" as String }
        manifest.files() == Manifest.read(folder.resolve('b'), 'kernels').files()
        manifest.verify(folder.resolve('a'))
        new ZipFile(folder.resolve('a/gpt2.pt').toFile()).withCloseable { zip ->
            zip.getInputStream(zip.getEntry('gpt2/code/__torch__.py')).text.readLines().count { it.startsWith('class ') } == 1
        }

        when:
        def again = Tool.run('kernels', '--out', folder.resolve('a'))

        then:
        again.refused(ExitCode.CANNOT_WRITE.status(), 'exists already')
        Tool.run('kernels', '--out', folder.resolve('a'), '--overwrite').status == 0
    }

    def '#text is #code'() {
        expect:
        Compute.explain(new EngineException(text)).code() == code

        where:
        text                                                                            || code
        'CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity…'  || ExitCode.DEVICE_MEMORY
        'CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`'    || ExitCode.DEVICE_MEMORY
        'DefaultCPUAllocator: can\'t allocate memory: you tried to allocate 400 bytes'  || ExitCode.HOST_MEMORY
        'a defect'                                                                      || ExitCode.INTERNAL
    }

    def 'a failure that is not the engine’s is left to others'() {
        expect:
        Compute.explain(new IllegalStateException('CUDA out of memory')) == null
    }

    @Requires(value = { KernelsSpec.torch() }, reason = 'install python3-torch and python3-numpy for it')
    def 'another PyTorch finds in every kernel what float64 gives'() {
        given:
        Tool.run('kernels', '--out', folder.resolve('k')).status == 0

        when:
        def run = python(PROJECT.resolve('benchmarks/check_kernels.py'), '--kernels', folder.resolve('k'), '--check', '--compose-attention', '--strict')

        then:
        run.output.readLines().findAll { it.startsWith('FAILED') || it.startsWith('UNCHECKED') } == []
        run.output.readLines().count { it.startsWith('passed') } > 100
        run.status == 0
    }

    /** Whether there is a Python with PyTorch; if not, a line says what to install. */
    static boolean torch() {
        def found = Files.isExecutable(Path.of(PYTHON)) && python('-c', 'import torch, numpy').status == 0
        if (!found) {
            System.err.println('kernels are not checked in another PyTorch: install python3-torch and python3-numpy')
        }
        found
    }

    private static Map python(Object... arguments) {
        def builder = new ProcessBuilder([PYTHON, *arguments]*.toString()).redirectErrorStream(true)
        builder.environment().OMP_NUM_THREADS = '1'
        def process = builder.start()
        def output = process.inputStream.getText('UTF-8')
        [status: process.waitFor(), output: output]
    }
}
