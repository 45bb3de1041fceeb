package universality.fetch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import universality.data.Json;
import universality.data.ToolException;

/** The hub's interface: which commit a revision is, which files it has, and their content. Thread-safe. */
final class Hub {
    private static final int MOST_PAGES = 10_000;
    private static final int MOST_BYTES = 64 << 20;
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;[^,]*rel=\"?next\"?");

    private final HubSettings settings;
    private final HubHttp http;

    Hub(HubSettings settings) {
        this.settings = settings;
        this.http = new HubHttp(settings);
    }

    HubSettings settings() {
        return settings;
    }

    static boolean isCommit(String revision) {
        return COMMIT.matcher(revision).matches();
    }

    /**
     * The commit that {@code revision} (branch, tag, commit or the beginning of one) is now.
     *
     * @throws ToolException (missing) naming the repository or the revision, whichever is not there
     */
    String commit(Repository repository, String revision) {
        String what = "the revision '" + revision + "' of the " + repository;
        Retry retry = new Retry(settings, what);
        while (true) {
            try {
                JsonNode answer = json(address(repository.api() + "/revision/" + encoded(revision, false)), what)
                        .node();
                String commit = answer.path("sha").asText();
                if (!isCommit(commit)) {
                    throw ToolException.badData(
                            "the hub says that %s is the commit '%s', which is none",
                            what, RemoteFile.printable(commit));
                }
                return commit;
            } catch (HubStatus e) {
                if (e.status() == 404) {
                    throw missing(repository, revision, e);
                }
                retry.failed(e);
            } catch (IOException e) {
                retry.failed(e);
            }
        }
    }

    private ToolException missing(Repository repository, String revision, HubStatus status) {
        boolean revisionOnly =
                status.code().equals("RevisionNotFound") || !status.code().equals("RepoNotFound") && exists(repository);
        return revisionOnly
                ? ToolException.missing(
                        "the %s has no revision '%s' at %s: expected one of its branches or tags, or a commit",
                        repository, revision, settings.endpoint().getHost())
                : ToolException.missing(
                        "there is no %s at %s (nor a folder of that name here): check the name; if it is private, set"
                                + " HF_TOKEN",
                        repository, settings.endpoint().getHost());
    }

    private boolean exists(Repository repository) {
        try {
            json(address(repository.api()), repository.toString());
            return true;
        } catch (IOException e) {
            return false; // a question for the sake of a better message
        }
    }

    /** Every file of a commit. */
    List<RemoteFile> tree(Repository repository, String commit) {
        String what = "the list of files of the " + repository;
        List<RemoteFile> files = new ArrayList<>();
        URI page = address(repository.api() + "/tree/" + commit + "?recursive=true");
        for (int pages = 0; page != null && pages < MOST_PAGES; pages++) {
            Answer answer = retried(page, what);
            if (!answer.node().isArray()) {
                throw ToolException.badData("%s is not what was expected: no JSON array", what);
            }
            for (JsonNode entry : answer.node()) {
                if (entry.path("type").asText().equals("file")) {
                    files.add(file(entry));
                }
            }
            page = answer.next();
        }
        return files;
    }

    private static RemoteFile file(JsonNode entry) {
        JsonNode large = entry.path("lfs");
        return new RemoteFile(
                entry.path("path").asText(),
                large.path("size").asLong(entry.path("size").asLong(-1)),
                entry.path("oid").asText(),
                large.path("oid").isTextual() ? large.path("oid").asText() : null,
                entry.path("xetHash").isTextual() ? entry.path("xetHash").asText() : null);
    }

    /** The answer to a request for (the rest of) a file. The caller closes its body. */
    HttpResponse<BodyStream> open(Repository repository, String commit, String path, Map<String, String> headers)
            throws IOException {
        return http.get(address(repository.files() + "/resolve/" + commit + "/" + encoded(path, true)), headers);
    }

    /** The content of a small file, checked. */
    byte[] content(Repository repository, String commit, RemoteFile file) {
        Retry retry = new Retry(settings, "'" + file.path() + "' of the " + repository);
        while (true) {
            try (BodyStream body =
                    open(repository, commit, file.path(), Map.of()).body()) {
                byte[] bytes = body.bytes(MOST_BYTES);
                ContentDigest digest = new ContentDigest(file);
                digest.update(java.nio.ByteBuffer.wrap(bytes));
                if (bytes.length == file.bytes() && digest.value().equals(file.blob())) {
                    return bytes;
                }
                throw new IOException("its content is not what its digest says");
            } catch (IOException e) {
                retry.failed(e);
            }
        }
    }

    /** A JSON answer, and the address of the page after it or null. */
    private record Answer(JsonNode node, URI next) {}

    private Answer retried(URI address, String what) {
        Retry retry = new Retry(settings, what);
        while (true) {
            try {
                return json(address, what);
            } catch (IOException e) {
                retry.failed(e);
            }
        }
    }

    private Answer json(URI address, String what) throws IOException {
        HttpResponse<BodyStream> answer = http.get(address, Map.of());
        try (BodyStream body = answer.body()) {
            JsonNode node = Json.mapper().readTree(body.bytes(MOST_BYTES));
            Matcher next = NEXT.matcher(String.join(", ", answer.headers().allValues("Link")));
            return new Answer(node, next.find() ? address.resolve(next.group(1)) : null);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw ToolException.badData(
                    "%s is not the JSON that was expected; is HF_ENDPOINT (%s) a hub?", what, settings.endpoint());
        }
    }

    private URI address(String path) {
        return URI.create(settings.endpoint() + path);
    }

    /** Percent-encodes all but unreserved characters, and slashes where they separate. */
    private static String encoded(String text, boolean path) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (plain || "-._~".indexOf(c) >= 0 || path && c == '/') {
                encoded.append(c);
            } else {
                encoded.append(String.format("%%%02X", (int) c));
            }
        }
        return encoded.toString();
    }
}
