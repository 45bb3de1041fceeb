package unit.tokenize

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Requires
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.TokenRows

/** Names of files that are not ASCII, on a machine whose locale is. */
class LocaleSpec extends Specification {
    static final Path PROJECT = unit.lib.ParametersSpec.PROJECT

    @TempDir
    Path folder

    /** Whether there is a locale to change to. */
    static boolean canChange() {
        try {
            def list = new ProcessBuilder('locale', '-a').redirectErrorStream(true).start()
            list.inputStream.getText('UTF-8').readLines().any { it ==~ /(?i)C\.utf-?8/ }
        } catch (IOException e) {
            false
        }
    }

    @Requires({ canChange() })
    def "the tools read a file whose name is not ASCII in the POSIX locale"() {
        given: 'the name made by a shell, since this process may not be able to say it'
        def script = 'printf "%s" "$1" > "$(printf "b\\303\\274cher.txt")" && exec "$2" tokenize --text "$(printf "b\\303\\274cher.txt")" --tokenizer byte --context 8 --out out'
        def text = 'In the beginning there was a small text about nothing. ' * 40
        def builder = new ProcessBuilder('bash', '-c', script, 'bash', text, PROJECT.resolve('bin/universality').toString())
        builder.directory(folder.toFile()).redirectErrorStream(true)
        builder.environment().keySet().removeAll(['LANG', 'LC_CTYPE'])
        builder.environment().LC_ALL = 'C'

        when:
        def process = builder.start()
        def said = process.inputStream.getText('UTF-8')

        then:
        process.waitFor() == 0
        !said.contains('universality tokenize:')
        TokenRows.read(folder.resolve('out')).manifest().inputs()*.id() == ['b\u00fccher.txt']
    }
}
