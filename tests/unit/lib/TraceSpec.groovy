package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import spock.lang.Specification
import spock.lang.TempDir

class TraceSpec extends Specification {
    @TempDir
    Path folder

    def 'what is written into a trace that has begun arrives where it is published, in place of the one before'() {
        given:
        Path begun = folder.resolve('begun.txt')
        Path published = folder.resolve('results/pipeline/trace.txt')
        Files.createDirectories(published.parent)
        published.text = 'an older trace'
        Writer writer = Files.newBufferedWriter(begun)
        writer.write('header\n')
        writer.flush()

        when:
        Trace.publish(begun, published)
        writer.write('task\n')
        writer.close()

        then:
        published.text == 'header\ntask\n'
        !Files.exists(begun)
    }

    def 'without a trace nothing is made'() {
        when:
        Trace.publish(folder.resolve('none'), folder.resolve('results/pipeline/trace.txt'))

        then:
        !Files.exists(folder.resolve('results'))
    }
}
