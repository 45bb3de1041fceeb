package pipeline

import groovy.io.FileType
import java.nio.file.FileSystems
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import spock.lang.Specification
import spock.lang.TempDir

/** What reruns after a change, and what does not: with stubs, on a copy of the project whose tools are changed. */
class ResumeSpec extends Specification {
    @TempDir
    Path folder

    private static final List<String> ALL =
            ['ABLATE', 'ACTIVATE', 'CORRELATE', 'DESCRIBE', 'IDENTIFY', 'PERSIST', 'REPORT', 'TOKENIZE', 'TRAIN']

    def 'a task reruns when the code of its stage changed, or what it depends on did, and never else'() {
        given:
        Path project = Pipeline.copyOfProject(folder.resolve('project'))
        Path jar = project.resolve('bin-java/target/universality.jar')
        Pipeline pipeline = new Pipeline(folder.resolve('launch'), project)
        String[] study = ['-profile', 'test', '-stub', '-resume', '--steps', '0,2,8']

        when: 'the first launch'
        def first = pipeline.run(study)
        then:
        first.succeeded()
        first.processes('COMPLETED') == ALL
        first.tasks*.workdir.toSet().size() == first.tasks.size()

        when: 'the same again'
        def again = pipeline.run(study)
        then:
        again.succeeded()
        again.processes('CACHED') == ALL
        again.processes('COMPLETED') == []
        again.tasks.size() == first.tasks.size()

        when: 'the tools are rebuilt and come out the same, and every file of the project is touched'
        Files.write(jar, jar.bytes)
        project.eachFileRecurse(FileType.FILES) {
            if (!Files.isSymbolicLink(it)) {
                Files.setLastModifiedTime(it, FileTime.fromMillis(System.currentTimeMillis() + 60_000))
            }
        }
        def rebuilt = pipeline.run(study)
        then:
        rebuilt.succeeded()
        rebuilt.processes('CACHED') == ALL
        rebuilt.processes('COMPLETED') == []

        when: 'the report changes'
        change(jar, 'universality/report/Changed.class')
        def report = pipeline.run(study)
        then:
        report.succeeded()
        report.processes('COMPLETED') == ['REPORT']
        report.processes('CACHED') == ALL - 'REPORT'

        when: 'correlate changes'
        change(jar, 'universality/correlate/Changed.class')
        def correlate = pipeline.run(study)
        then:
        correlate.succeeded()
        correlate.processes('COMPLETED') == ['ABLATE', 'CORRELATE', 'IDENTIFY', 'PERSIST', 'REPORT']
        correlate.processes('CACHED') == ['ACTIVATE', 'DESCRIBE', 'TOKENIZE', 'TRAIN']

        when: 'the configuration of the models changes, and neither its size nor its time does'
        Path config = project.resolve('conf/models/test.json')
        FileTime time = Files.getLastModifiedTime(config)
        config.text = config.text.replace('"learning_rate": 3e-3', '"learning_rate": 4e-3')
        Files.setLastModifiedTime(config, time)
        def trained = pipeline.run(study)
        then:
        trained.succeeded()
        trained.processes('COMPLETED') == ALL - 'TOKENIZE'
        trained.processes('CACHED') == ['TOKENIZE']
    }

    private static void change(Path jar, String entry) {
        FileSystems.newFileSystem(URI.create("jar:${jar.toUri()}"), [:]).withCloseable { zip ->
            Path file = zip.getPath(entry)
            Files.createDirectories(file.parent)
            Files.writeString(file, 'changed')
        }
    }
}
