package unit.lib

import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import spock.lang.Specification
import spock.lang.TempDir
import universality.data.StageDigest

/** The workflow and the tools compute one digest: manifests name what the task was keyed by. */
class ToolDigestSpec extends Specification {
    static final List<String> ENTRIES = [
        'META-INF/MANIFEST.MF',
        'kernels/gpt2.py',
        'report/page.html',
        'universality/version.properties',
        'universality/cli/Main.class',
        'universality/cli/ComputeOptions.class',
        'universality/cli/StageCommand.class',
        'universality/cli/TrainCommand.class',
        'universality/cli/TrainCommand$1.class',
        'universality/cli/ReportCommand.class',
        'universality/data/Json.class',
        'universality/model/gpt2/Gpt2.class',
        'universality/report/Page.class',
        'universality/train/Trainer.class',
    ]

    @TempDir
    Path project

    Path jar

    def setup() {
        jar = project.resolve(ToolDigest.JAR)
        Files.createDirectories(jar.parent.resolve('lib'))
        Files.createDirectories(project.resolve('bin'))
        project.resolve('bin/universality').text = '#!/bin/sh\n'
        jar.parent.resolve('lib/b.jar').text = 'bb'
        jar.parent.resolve('lib/a.jar').text = 'a'
        write(ENTRIES)
    }

    def 'the workflow computes what the tools compute'() {
        expect:
        ToolDigest.all(Launch.STAGES, project) == Launch.STAGES.collectEntries { [(it): StageDigest.of(it, jar)] }

        when:
        project.resolve('bin/universality').toFile().delete()
        jar.parent.resolve('lib').deleteDir()

        then:
        ToolDigest.all(Launch.STAGES, project) == Launch.STAGES.collectEntries { [(it): StageDigest.of(it, jar)] }
    }

    def 'what #changed changes is the digest of #stages'() {
        given:
        def before = ToolDigest.all(Launch.STAGES, project)

        when:
        write(ENTRIES, changed)

        then:
        def after = ToolDigest.all(Launch.STAGES, project)
        Launch.STAGES.findAll { before[it] != after[it] } == stages

        where:
        changed                               || stages
        'META-INF/MANIFEST.MF'                || []
        'universality/train/Trainer.class'    || ['train']
        'universality/cli/TrainCommand.class' || ['train']
        'universality/report/Page.class'      || ['report']
        'report/page.html'                    || ['report']
        'universality/model/gpt2/Gpt2.class'  || Launch.STAGES
        'kernels/gpt2.py'                     || Launch.STAGES
        'universality/cli/Main.class'         || Launch.STAGES
        'universality/cli/StageCommand.class' || Launch.STAGES
    }

    def 'a touched or rewritten jar keeps every digest; the launcher and the libraries count'() {
        given:
        def before = ToolDigest.all(Launch.STAGES, project)

        when:
        write(ENTRIES.reverse())
        then:
        ToolDigest.all(Launch.STAGES, project) == before

        when:
        jar.parent.resolve('lib/a.jar').text = 'longer'
        def libraries = ToolDigest.all(Launch.STAGES, project)
        then:
        Launch.STAGES.every { libraries[it] != before[it] }

        when:
        project.resolve('bin/universality').text = '#!/bin/bash\n'
        def launcher = ToolDigest.all(Launch.STAGES, project)
        then:
        Launch.STAGES.every { launcher[it] != libraries[it] }
    }

    private void write(List<String> entries, String changed = null) {
        new ZipOutputStream(jar.newOutputStream()).withCloseable { zip ->
            entries.each {
                zip.putNextEntry(new ZipEntry(it))
                zip.write((it == changed ? 'changed' : it).bytes)
            }
        }
    }
}
