package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import spock.lang.Specification
import spock.lang.TempDir
import spock.lang.Unroll

/**
 * Nothing that a user may write into a parameter or a samplesheet is ever read by a shell, but as the word that it is. What
 * real runs make of such names: {@code pipeline.SecuritySpec}.
 */
class InjectionSpec extends Specification {
    static final Path PROJECT = ParametersSpec.PROJECT

    /** Each would leave a file 'marker' where it is read by a shell. */
    static final List<String> PAYLOADS = [
        '$(touch marker)', '`touch marker`', "'; touch marker; '", '"; touch marker; "', '; touch marker', '| touch marker', '&& touch marker',
        'x\ntouch marker\n', '\n#SBATCH --wrap=x\ntouch marker', '${IFS}$(touch${IFS}marker)', '> marker', '--help', '-rf', '@marker', '\\', "\\'; touch marker; '",
        '\u001b]0;marker\u0007', 'ü ö\u00a0é 字', '..', '../..', '/etc/passwd', '*', '~', '!!', '', ' ', '%s%n',
    ]

    /** Parameters whose value may be any text: what becomes of it is {@link Shell}'s matter, Java's, or both. */
    static final Map<String, String> FREE = [
        checkpoint_cache: 'a folder, absolute where it reaches a script', dataset_revision: 'checked again by the tool', dataset_files: 'patterns',
        text_column     : 'a name', outdir: 'a folder, never in a script',
    ]

    @TempDir
    Path folder

    @Unroll('--#name')
    def 'a parameter takes what its rule allows, or is refused in one line'() {
        given:
        Map common = ParametersSpec.configured() + [outdir: folder.resolve('results').toString()]
        Map companions = name.startsWith('dataset_') ? [dataset: 'org/text'] : [:]

        expect:
        PAYLOADS.each { payload ->
            String problem = Launch.of(common + companions + [(name): payload], PROJECT).problem
            assert problem == null || !(problem =~ /\p{Cntrl}/)
            assert problem != null || name in FREE.keySet() || PLAIN[name]?.contains(payload), payload
        }

        where:
        name << new Parameters(PROJECT.resolve('nextflow_schema.json')).schema.keySet()
    }

    /** What looks like a payload and is a value like any other. */
    static final Map<String, List<String>> PLAIN = [text: ['..', '../..', '/etc/passwd', '*'], tokenizer: ['/etc/passwd'], controls: [' '], slurm_options: ['--help']]

    def 'a cell of a samplesheet is refused in one line, or is a folder that is there: #column'() {
        given:
        ['a', 'b'].each { Files.createDirectories(folder.resolve(it)) }
        Path sheet = folder.resolve('sheet.csv')

        expect:
        PAYLOADS.findAll { it.trim() }.each { payload ->
            Map<String, String> cells = [id: 'one', family: 'x', seed: '1', step: '0', source: 'a', revision: ''] + [(column): payload]
            sheet.text = "id,family,seed,step,source,revision\n${cells.values().collect { '"' + it.replace('"', '""') + '"' }.join(',')}\ntwo,x,2,0,b,\n"
            String problem = Launch.of(ParametersSpec.configured() + [outdir: folder.resolve('results').toString(), input: sheet.toString(), tokenizer: 'r50k'], PROJECT).problem
            assert problem == null ? column == 'source' && payload in ['..', '../..'] : !(problem =~ /\p{Cntrl}/), payload
        }

        where:
        column << ['id', 'family', 'seed', 'step', 'source', 'revision']
    }

    def 'a shell gives back whatever was quoted: 400 words of what a shell knows'() {
        given:
        Random random = new Random(5)
        List<String> pieces = PAYLOADS + ['\t', '\r', '\n', ' ', "'", '"', '`', '$', '(', ')', '{', '}', '[', ']', '<', '>', '|', '&', ';', '#', '!', '?', '\\n', 'a', '-', '=', '\u0001', '😀']
        List<String> words = (1..400).collect { (0..random.nextInt(5)).collect { pieces[random.nextInt(pieces.size())] }.join('') }
        Path script = folder.resolve('script')
        script.text = "printf '%s\\0' ${words.collect { Shell.quote(it) }.join(' ')}\n"

        when:
        Process process = new ProcessBuilder('bash', '-euo', 'pipefail', script.toString()).directory(folder.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        String out = new String(process.inputStream.bytes, 'UTF-8')

        then:
        process.waitFor(1, TimeUnit.MINUTES)
        process.exitValue() == 0
        out.split('\0', -1).toList().dropRight(1) == words
        folder.toFile().list().toList() == ['script']
    }
}
