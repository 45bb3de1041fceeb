package pipeline

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.Stepwise
import spock.lang.TempDir
import unit.Tool

/**
 * Names and values that a shell would read as commands, in a study that really runs: they are names, and no command is run.
 * Whatever is refused is refused in one line, see {@code unit.lib.InjectionSpec}.
 */
@Stepwise
class SecuritySpec extends Specification {
    /** What a command of a payload would make; found anywhere below the test's folder, or beside the project, it ran. */
    private static final String MARKER = 'marker-of-a-command'
    private static final List<String> SOURCES = ["it's \$(touch ${MARKER}1) `touch ${MARKER}2`;touch ${MARKER}3", "-rf \"quoted\" & touch ${MARKER}4 | üñí 字"]*.toString()
    /** Nextflow stages these; what it cannot stage is refused, see {@code unit.lib.LaunchSpec}. */
    private static final List<String> TEXTS = ['ü | <x> "字".txt', "-n (touch ${MARKER}5) & `touch ${MARKER}6`.txt", "`touch ${MARKER}7`' && touch ${MARKER}8 || '.txt", '@options.txt']*.toString()
    private static final String ODD = "(1) & it's \"quoted\" | <x> 字 ü ~ # % ! = ^"

    @TempDir
    @Shared
    Path folder

    @Shared
    Path project

    @Shared
    Pipeline pipeline

    @Shared
    Map<String, Path> seeds = [:]

    def setupSpec() {
        project = Pipeline.copyOfProject(folder.resolve("prøject; [1] & it's {x} * 字"))
        pipeline = new Pipeline(folder.resolve("läunch `touch ${MARKER}15` \\ ${ODD}"), project)
        Path tokens = folder.resolve('tokens')
        assert Tool.run('tokenize', '--generate', 3, '--tokenizer', 'bpe:300', '--context', 32, '--tokens', 6000, '--split', 'train=90%,heldout=10%', '--out', tokens).status == 0
        [1, 2].each { seed ->
            Path trained = folder.resolve("trained-${seed}")
            assert Tool.run('train', '--tokens', tokens.resolve('train'), '--config', Pipeline.PROJECT.resolve('conf/models/test.json'),
                    '--family', 'tiny', '--seed', seed, '--steps', '4', '--threads', 1, '--device', 'cpu', '--out', trained).status == 0
            seeds["$seed".toString()] = trained.resolve("tiny-s${seed}-t4")
        }
    }

    private Path copy(Path from, Path to) {
        Files.createDirectories(to)
        from.eachFile { Files.copy(it, to.resolve(it.fileName.toString())) }
        to
    }

    /** No payload was run, here or where the project is. */
    private void nothingRan() {
        [folder, Pipeline.PROJECT].each { Path place ->
            place.toFile().eachFile { assert !it.name.startsWith(MARKER) }
        }
        folder.toFile().eachFileRecurse { assert !it.name.startsWith(MARKER) }
        assert !new File(MARKER).absoluteFile.parentFile.list().any { it.startsWith(MARKER) }
    }

    def 'odd names of checkpoints, text, tokenizer, cache, results, project and launch folder are names'() {
        given:
        SOURCES.eachWithIndex { name, i -> copy(seeds["${i + 1}".toString()], pipeline.folder.resolve('models').resolve(name)) }
        Path tokenizer = Files.copy(seeds['1'].resolve('tokenizer.json'), pipeline.folder.resolve("tök `touch ${MARKER}16` it's.json"))
        TEXTS.eachWithIndex { name, i ->
            pipeline.folder.resolve(name).text = (1..60).collect { "Paragraph ${it} of text ${i}, about the weather and the sea.\n" }.join('\n')
        }
        pipeline.folder.resolve('sheet of "models".csv').text = 'family,seed,step,source\n' +
                SOURCES.withIndex().collect { name, i -> "tiny,${i + 1},4,\"models/${name.replace('"', '""')}\"\n" }.join('')

        when:
        def result = pipeline.run('-profile', 'test', '--input', 'sheet of "models".csv', '--tokenizer', tokenizer.fileName.toString(),
                '--text', TEXTS.join(','), '--text_column', "\$(touch ${MARKER}10)\n`touch ${MARKER}11`", '--tokens', '0', '--context', '24', '--controls', 'none',
                '--ablate_steps', 'none', '--checkpoint_cache', "cäche `touch ${MARKER}12` ${ODD}".toString(), '--outdir', "résults of \$(touch ${MARKER}13) `touch ${MARKER}14`")

        then:
        result.succeeded()
        result.processes('COMPLETED') == ['ACTIVATE', 'CORRELATE', 'DESCRIBE', 'FETCH', 'IDENTIFY', 'REPORT', 'TOKENIZE']
        pipeline.json("résults of \$(touch ${MARKER}13) `touch ${MARKER}14`/identify/tiny-t4/summary.json").checkpoints*.id == ['tiny-s1-t4', 'tiny-s2-t4']
        pipeline.folder.resolve("cäche `touch ${MARKER}12` ${ODD}/checkpoints").toFile().list().size() >= 2
        nothingRan()
    }
}
