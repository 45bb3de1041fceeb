package universality.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import universality.data.ToolException;

/**
 * A repository at a revision: looked up first, which gives a commit and the files needed, then downloaded by that commit alone,
 * so that a branch that moves meanwhile cannot mix files.
 *
 * @param include of a dataset: globs of the files to take; empty for all
 */
record HubSource(Repository repository, String revision, List<String> include) {
    static final String DEFAULT_REVISION = "main";

    /** @throws ToolException (usage) if the revision cannot be one */
    HubSource {
        if (!RemoteFile.isSafe(revision) || revision.startsWith("-") || revision.contains("..")) {
            throw ToolException.usage("--revision '%s' is no branch, tag or commit", RemoteFile.printable(revision));
        }
    }

    /**
     * What was found.
     *
     * @param files those needed, by path; sizes and digests are the hub's
     * @param missing why it is not known which are needed (offline only); else null
     */
    record Found(HubSource source, HubCache cache, String commit, List<RemoteFile> files, String missing) {
        /** What an offline run lacks, in words; empty where it lacks nothing. */
        String lacks() {
            if (missing != null) {
                return source + " (" + missing + ")";
            }
            List<RemoteFile> absent = Transfer.missing(cache, files);
            return absent.isEmpty()
                    ? ""
                    : source + " ("
                            + String.join(
                                    ", ", absent.stream().map(RemoteFile::path).toList()) + ")";
        }
    }

    /** Looks up commit and files; with the hub's help, or offline by the cache alone. */
    Found find(Hub hub, boolean remember) {
        HubCache cache = new HubCache(hub.settings().cache(), repository);
        return hub.settings().offline() ? cached(cache) : current(hub, cache, remember);
    }

    private Found current(Hub hub, HubCache cache, boolean remember) {
        String commit = Hub.isCommit(revision) ? revision : hub.commit(repository, revision);
        List<RemoteFile> tree = cache.wholeTree(commit).orElseGet(() -> hub.tree(repository, commit));
        Function<RemoteFile, Optional<byte[]>> content =
                file -> Optional.of(content(cache, file).orElseGet(() -> hub.content(repository, commit, file)));
        List<RemoteFile> files = choose(tree, content);
        if (remember) {
            cache.remember(commit, tree);
        }
        return new Found(this, cache, commit, files, null);
    }

    private Found cached(HubCache cache) {
        Optional<String> commit = cache.commit(revision);
        if (commit.isEmpty()) {
            return new Found(this, cache, null, List.of(), "nothing of it");
        }
        List<RemoteFile> tree = cache.tree(commit.get());
        try {
            return new Found(this, cache, commit.get(), choose(tree, file -> content(cache, file)), null);
        } catch (ToolException e) {
            if (cache.wholeTree(commit.get()).isPresent()) {
                throw e; // the repository itself lacks it
            }
            String what = tree.isEmpty() ? "nothing of it" : "config.json or weights; there is only part of it";
            return new Found(this, cache, commit.get(), List.of(), what);
        }
    }

    private List<RemoteFile> choose(List<RemoteFile> tree, Function<RemoteFile, Optional<byte[]>> content) {
        FileChoice choice = new FileChoice("the " + repository + " at '" + revision + "'", tree);
        return repository.kind() == Repository.Kind.MODEL ? choice.model(content) : choice.dataset(include);
    }

    /** The content of a small file of what was {@link #find found}: from the cache or, unless offline, from the hub. */
    Optional<byte[]> content(Hub hub, Found found, RemoteFile file) {
        Optional<byte[]> kept = content(found.cache(), file);
        return kept.isPresent() || hub.settings().offline()
                ? kept
                : Optional.of(hub.content(repository, found.commit(), file));
    }

    private static Optional<byte[]> content(HubCache cache, RemoteFile file) {
        try {
            return cache.isWhole(file) ? Optional.of(Files.readAllBytes(cache.blob(file))) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** {@code ORGANISATION/NAME@REVISION}. */
    @Override
    public String toString() {
        return repository.name() + "@" + revision;
    }
}
