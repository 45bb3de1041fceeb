package unit.tokenize

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Shared
import spock.lang.Specification
import spock.lang.TempDir
import unit.Tool
import universality.data.Manifest
import universality.data.SafetensorsFile
import universality.data.TokenRows

/** Less of a text: the first rows of each split. */
class FirstRowsSpec extends Specification {
    @TempDir
    @Shared
    Path folder

    @Shared
    Path whole

    def setupSpec() {
        whole = folder.resolve('whole')
        assert Tool.run('tokenize', '--generate', 3, '--tokenizer', 'byte', '--context', 32, '--tokens', 12800,
                '--split', 'train=70%,analysis=20%,heldout=10%', '--out', whole).status == 0
    }

    def 'rows, masks, documents and planted features are those of the whole, as far as they go'() {
        when:
        Tool run = Tool.run('tokenize', '--part-of', whole, '--split', 'analysis=1000,heldout=320', '--out', folder.resolve('part'))
        TokenRows rows = TokenRows.read(whole.resolve('analysis'))
        TokenRows part = TokenRows.read(folder.resolve('part/analysis'))

        then:
        run.status == 0
        [part.rows(), part.context()] == [31, 32]
        part.tokens() == Arrays.copyOf(rows.tokens(), 31 * 32)
        part.mask() == Arrays.copyOf(rows.mask(), 31 * 32)
        part.document() == Arrays.copyOf(rows.document(), 31 * 32)
        planted('part/analysis') == Arrays.copyOf(planted('whole/analysis'), planted('part/analysis').length)
        planted('part/analysis').length > 31 * 32
        folder.resolve('part/analysis/tokenizer.json').bytes == whole.resolve('analysis/tokenizer.json').bytes

        and: 'a complete folder that says what it is'
        Manifest manifest = Manifest.read(folder.resolve('part/analysis'), 'tokenize')
        manifest.verify(folder.resolve('part/analysis'))
        manifest.counts() == [documents: part.document()[-1] + 1L, kept: part.kept() as long, rows: 31L, tokens: 992L] as TreeMap
        manifest.parameters() == rows.manifest().parameters()
        manifest.inputs()*.role() == ['rows']
        Manifest outer = Manifest.read(folder.resolve('part'), 'tokenize')
        outer.parameter('split') == 'analysis=1000,heldout=320'
        outer.count('rows') == 31 + 10
        !Files.exists(folder.resolve('part/train'))
    }

    def 'a split that has less is taken whole, with a warning'() {
        when:
        Tool run = Tool.run('tokenize', '--part-of', whole, '--split', 'heldout=999999', '--out', folder.resolve('all'))

        then:
        run.status == 0
        run.error.contains("split 'heldout' has 40 rows, fewer than the 31249 asked for: all are taken")
        folder.resolve('all/heldout/tokens.safetensors').bytes == whole.resolve('heldout/tokens.safetensors').bytes
        Manifest.read(folder.resolve('all'), 'tokenize').warnings().size() == 1
    }

    def 'what cannot be cut is refused: #arguments'() {
        expect:
        Tool.run('tokenize', '--part-of', whole, *arguments, '--out', folder.resolve('no')).refused(status, said)

        where:
        arguments                                             || status | said
        []                                                    || 64     | '--part-of needs --split in tokens'
        ['--split', 'analysis=10%']                           || 64     | '--part-of needs --split in tokens'
        ['--split', 'examples=100']                           || 66     | 'examples'
        ['--split', 'analysis=31']                            || 65     | "split 'analysis' asks for 31 tokens"
        ['--split', 'analysis=64', '--tokenizer', 'byte']     || 64     | '--part-of takes rows as they are'
        ['--split', 'analysis=64', '--generate', '1']         || 64     | ''
    }

    private long[] planted(String split) {
        SafetensorsFile.open(folder.resolve("${split}/planted.safetensors")).withCloseable { it.longs('features') }
    }
}
