package universality.fetch;

import java.io.EOFException;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import universality.data.ToolException;

/**
 * Brings the content of one file into the cache. Whatever happens on the way, a file under its final name has the size and the
 * digest that the hub says.
 */
final class BlobDownload {
    private final Hub hub;
    private final HubCache cache;
    private final String commit;
    private final RemoteFile file;
    private final TransferProgress progress;
    private final Retry retry;
    private String etag; // of the host that served the last part

    BlobDownload(Hub hub, HubCache cache, String commit, RemoteFile file, TransferProgress progress) {
        this.hub = hub;
        this.cache = cache;
        this.commit = commit;
        this.file = file;
        this.progress = progress;
        this.retry = new Retry(hub.settings(), what());
    }

    private String what() {
        return "'" + file.path() + "' of the " + cache.repository();
    }

    /**
     * Downloads the file unless it is there, waiting for another process that does.
     *
     * @throws ToolException if it cannot be had, is not what the hub says, or cannot be written
     */
    void run() {
        Path partial = cache.partial(file);
        try (FileMutex mutex =
                FileMutex.acquire(cache.lock(file), hub.settings().patience().lock(), () -> HubCache.size(partial))) {
            if (cache.isWhole(file)) {
                progress.present(file.bytes());
                return;
            }
            Path own = mutex.isShared() ? partial : cache.privatePartial();
            try (Partial part = Partial.open(own, file)) {
                download(part);
            }
        }
    }

    private void download(Partial part) {
        if (part.size() > file.bytes()) {
            part.restart();
        }
        progress.present(part.size());
        boolean wrongBefore = false;
        while (true) {
            long before = part.size();
            String wrong = null;
            try {
                receive(part);
            } catch (WrongContent e) {
                wrong = e.getMessage();
            } catch (IOException e) {
                if (part.size() > before) {
                    retry.progressed();
                }
                retry.failed(e);
                continue;
            }
            if (wrong == null) {
                String digest = part.digest();
                if (digest.equals(file.blob())) {
                    part.become(cache.blob(file));
                    return;
                }
                wrong = "its digest is " + digest;
            }
            restart(part);
            if (wrongBefore) {
                part.delete();
                throw ToolException.badData(
                        "%s is not what the hub says it is (%d bytes, digest %s), twice: %s; something between damages it (a"
                                + " proxy?), or the hub's copy is damaged",
                        what(), file.bytes(), file.blob(), wrong);
            }
            wrongBefore = true;
        }
    }

    private void restart(Partial part) {
        progress.present(-part.size());
        part.restart();
        etag = null;
    }

    /** One request for what is missing; returns when all is there. */
    private void receive(Partial part) throws IOException {
        if (part.size() == file.bytes()) {
            return;
        }
        HttpResponse<BodyStream> answer;
        try {
            answer = hub.open(cache.repository(), commit, file.path(), headers(part));
        } catch (HubStatus e) {
            if (e.status() == 416 && part.size() > 0) {
                throw new WrongContent("a part of it is refused as beyond its end");
            }
            throw e;
        }
        try (BodyStream body = answer.body()) {
            checkRange(part, answer);
            etag = answer.headers()
                    .firstValue("ETag")
                    .filter(tag -> !tag.startsWith("W/"))
                    .orElse(null);
            append(part, body);
        }
        if (part.size() < file.bytes()) {
            throw new EOFException("the connection ended after " + part.size() + " of " + file.bytes() + " bytes");
        }
    }

    private Map<String, String> headers(Partial part) {
        Map<String, String> headers = new HashMap<>();
        if (part.size() > 0) {
            headers.put("Range", "bytes=" + part.size() + "-");
            if (etag != null) {
                headers.put("If-Range", etag);
            }
        }
        return headers;
    }

    /** Whether the answer goes on where the part ends; a server that knows no ranges starts again. */
    private void checkRange(Partial part, HttpResponse<BodyStream> answer) throws WrongContent {
        if (answer.statusCode() == 200) {
            if (part.size() > 0) {
                restart(part);
            }
        } else {
            String expected = "bytes " + part.size() + "-";
            String range = answer.headers().firstValue("Content-Range").orElse("");
            if (!range.startsWith(expected) || !(range.endsWith("/" + file.bytes()) || range.endsWith("/*"))) {
                throw new WrongContent("the part '" + RemoteFile.printable(range) + "' came where '" + expected + "…/"
                        + file.bytes() + "' was asked for");
            }
        }
        long length = answer.headers().firstValueAsLong("Content-Length").orElse(-1);
        if (length >= 0 && part.size() + length != file.bytes()) {
            throw new WrongContent("it has " + (part.size() + length) + " bytes");
        }
    }

    private void append(Partial part, BodyStream body) throws IOException {
        for (ByteBuffer buffer; (buffer = body.next()) != null; ) {
            int length = buffer.remaining();
            if (part.size() + length > file.bytes()) {
                throw new WrongContent("it has more bytes");
            }
            part.append(buffer);
            progress.add(length);
        }
    }

    /** What came is not the file. */
    private static final class WrongContent extends IOException {
        private static final long serialVersionUID = 1L;

        WrongContent(String message) {
            super(message);
        }
    }
}
