package universality.fetch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.CheckpointFolder;
import universality.data.Ids;
import universality.data.Manifest;
import universality.data.ToolException;

/**
 * What a checkpoint is called. What the user says decides; then the manifest, where the source has one (of {@code train} or an
 * earlier {@code fetch}); then its name, where that reads FAMILY-sSEED-tSTEP. A folder about which nothing is known is a
 * family of its own, seed 0, step 0: nothing is guessed to belong together.
 *
 * @param id checkpoint id
 * @param family runs of one family differ in their seed only
 * @param step training step
 * @param source name of the source, without its folder
 */
record Origin(String id, String family, long seed, long step, String source) {
    private static final Pattern CONVENTIONAL = Pattern.compile("(.+)-s(\\d{1,18})-t(\\d{1,18})");

    /**
     * Names the checkpoint in {@code folder}.
     *
     * @param id what the user says, null where nothing; likewise the other three
     * @throws ToolException (usage) if a name is not valid, or the folder's name has to serve and is not
     */
    static Origin of(Path folder, String id, String family, Long seed, Long step) {
        Path name = folder.toAbsolutePath().normalize().getFileName();
        String source = name == null ? "/" : name.toString();
        Origin known = Files.isRegularFile(folder.resolve(Manifest.NAME)) ? fromManifest(folder, source) : null;
        return of(known, source, source, id, family, seed, step);
    }

    /**
     * Names a checkpoint of which only the name is known.
     *
     * @param name serves as id where the user gives none
     * @param source what the manifest calls its source
     */
    static Origin named(String name, String source, String id, String family, Long seed, Long step) {
        return of(null, name, source, id, family, seed, step);
    }

    private static Origin of(Origin known, String name, String source, String id, String family, Long seed, Long step) {
        if (id == null && family != null && seed != null && step != null) {
            id = Ids.checkpoint(family, seed, step);
        } else if (id == null) {
            id = known != null ? known.id() : fromName(name);
        }
        if (known == null) {
            known = parsed(Ids.check("checkpoint id", id), source);
        }
        return new Origin(
                Ids.check("checkpoint id", id),
                Ids.check("family", family == null ? known.family() : family),
                seed == null ? known.seed() : seed,
                step == null ? known.step() : step,
                source);
    }

    private static Origin fromManifest(Path folder, String source) {
        CheckpointFolder checkpoint = CheckpointFolder.open(folder);
        return new Origin(checkpoint.id(), checkpoint.family(), checkpoint.seed(), checkpoint.step(), source);
    }

    private static String fromName(String source) {
        if (!Ids.isValid(source)) {
            throw ToolException.usage(
                    "the source's name '%s' cannot serve as checkpoint id: give one with --id (letters and digits, single"
                            + " '.', '_' or '-' between them)",
                    source);
        }
        return source;
    }

    private static Origin parsed(String id, String source) {
        Matcher matcher = CONVENTIONAL.matcher(id);
        return matcher.matches() && Ids.isValid(matcher.group(1))
                ? new Origin(
                        id,
                        matcher.group(1),
                        Long.parseLong(matcher.group(2)),
                        Long.parseLong(matcher.group(3)),
                        source)
                : new Origin(id, id, 0, 0, source);
    }
}
