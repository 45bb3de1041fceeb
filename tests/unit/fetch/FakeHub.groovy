package unit.fetch

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import groovy.json.JsonOutput
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors

/**
 * A hub on this machine: repositories with branches and commits, and a second host that serves large files (Git LFS) by signed
 * addresses. As the real one: the interface names sizes and digests, a large file is a redirect to the other host, ranges and
 * ETags are honoured, 404 says in a header what is missing. {@link #fault} makes it misbehave.
 */
class FakeHub implements Closeable {
    static {
        System.setProperty('sun.net.httpserver.nodelay', 'true') // else 40 ms are lost for each answer
    }

    /** Endings of names that are stored as large files. */
    private static final List<String> LARGE = ['.safetensors', '.bin', '.parquet', '.txt', '.jsonl']

    /** A request as it came. */
    static class Request {
        /** {@code hub} or {@code blobs}. */
        String host
        String method
        /** Path and query, as sent. */
        String path
        Map<String, String> headers
        HttpExchange exchange

        /** Answers with a status and nothing else. */
        boolean answer(int status, Map<String, String> headers = [:], String body = '') {
            headers.each { name, value -> exchange.responseHeaders.set(name, value) }
            byte[] bytes = body.bytes
            exchange.sendResponseHeaders(status, bytes.length ?: -1)
            if (bytes.length) {
                exchange.responseBody.write(bytes)
            }
            true
        }

        /** Ends the connection before any answer. */
        boolean hangUp() {
            exchange.close()
            true
        }
    }

    static class Repo {
        final Map<String, String> branches = [:]
        final Map<String, Map<String, byte[]>> commits = [:]
    }

    final HttpServer hub = server('hub')
    final HttpServer blobs = server('blobs')
    final String endpoint = "http://127.0.0.1:${hub.address.port}"
    /** {@code models/ORG/NAME} or {@code datasets/ORG/NAME} to the repository. */
    final Map<String, Repo> repos = [:]
    final List<Request> requests = new CopyOnWriteArrayList<>()
    /** Called for each request; true means that it was answered (or not, on purpose). */
    volatile Closure<Boolean> fault = { Request request -> false }
    /** Called for each content about to be sent; gives what is sent instead: {@code [status, headers, bytes, length]}. */
    volatile Closure<Map> content = { Request request, Map answer -> answer }
    /** Token without which everything is refused; null for none. */
    String token
    int pageSize = 1000

    /** A new commit with these files (text or bytes) on a branch; returns its id. */
    String commit(String repository, Map<String, Object> files, String branch = 'main') {
        Repo repo = repos.computeIfAbsent(repository) { new Repo() }
        Map<String, byte[]> contents = files.collectEntries { path, it -> [path, it instanceof byte[] ? it : it.toString().bytes] }
        String id = hex('SHA-1', (repository + branch + repo.commits.size() + contents.collect { path, it -> path + it.sha256() }).bytes)
        repo.commits[id] = contents
        repo.branches[branch] = id
        id
    }

    /** The files of a folder as a new commit. */
    String commit(String repository, Path folder, String branch = 'main') {
        Map<String, Object> files = [:]
        folder.eachFileRecurse { if (Files.isRegularFile(it)) { files[folder.relativize(it).toString()] = it.bytes } }
        commit(repository, files, branch)
    }

    static boolean isLarge(String path) {
        LARGE.any { path.endsWith(it) }
    }

    /** The name of a content in the cache. */
    static String digest(String path, byte[] bytes) {
        isLarge(path) ? bytes.sha256() : gitId(bytes)
    }

    static String gitId(byte[] bytes) {
        ByteArrayOutputStream all = new ByteArrayOutputStream()
        all << "blob ${bytes.length}\0".bytes
        all << bytes
        hex('SHA-1', all.toByteArray())
    }

    private static String hex(String algorithm, byte[] bytes) {
        MessageDigest.getInstance(algorithm).digest(bytes).encodeHex().toString()
    }

    /** Paths that were asked for, in order. */
    List<String> asked(String host) {
        requests.findAll { it.host == host }*.path
    }

    @Override
    void close() {
        hub.stop(0)
        blobs.stop(0)
    }

    private HttpServer server(String host) {
        HttpServer server = HttpServer.create(new InetSocketAddress('127.0.0.1', 0), 50)
        server.executor = Executors.newCachedThreadPool { Runnable work -> new Thread(work, host).tap { it.daemon = true } }
        server.createContext('/') { HttpExchange exchange ->
            try {
                Request request = new Request(host: host, method: exchange.requestMethod, path: exchange.requestURI.toString(),
                        headers: exchange.requestHeaders.collectEntries { name, values -> [name.toLowerCase(), values.join(', ')] }, exchange: exchange)
                requests << request
                if (!fault(request)) {
                    host == 'hub' ? answerHub(request) : sendBlob(request)
                }
            } catch (IOException e) {
                // the client went away, or was sent away
            } catch (Throwable e) {
                e.printStackTrace()
                throw e
            } finally {
                exchange.close()
            }
        }
        server.start()
        server
    }

    private void answerHub(Request request) {
        if (token != null && request.headers.authorization != "Bearer ${token}".toString()) {
            request.answer(401, ['X-Error-Code': 'RepoNotFound'])
            return
        }
        def api = request.path =~ '^/api/(models|datasets)/([^/]+/[^/?]+)(?:/(revision|tree)/([^/?]+))?(?:\\?(.*))?$'
        def file = request.path =~ '^/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)$'
        String name = api ? "${api[0][1]}/${api[0][2]}" : file ? "${file[0][1] ? 'datasets' : 'models'}/${file[0][2]}" : ''
        Repo repo = repos[name]
        if (repo == null) {
            request.answer(404, ['X-Error-Code': 'RepoNotFound'])
            return
        }
        String revision = URLDecoder.decode((api ? api[0][4] : file[0][3]) ?: 'main', 'UTF-8')
        String id = repo.branches[revision] ?: repo.commits.keySet().find { it.startsWith(revision) }
        if (id == null) {
            request.answer(404, ['X-Error-Code': 'RevisionNotFound'])
        } else if (!api) {
            resolve(request, repo, id, URLDecoder.decode(file[0][4], 'UTF-8'))
        } else if (api[0][3] == 'tree') {
            list(request, repo, id, (String) api[0][5])
        } else {
            request.answer(200, ['Content-Type': 'application/json'], JsonOutput.toJson([id: name, sha: id]))
        }
    }

    private void list(Request request, Repo repo, String id, String query) {
        int from = ((query =~ /cursor=(\d+)/).with { it ? it[0][1] : '0' }) as int
        List<Map> entries = repo.commits[id].keySet().toSorted().collect { entry(it, repo.commits[id][it]) }
        Set<String> folders = entries*.path.findAll { it.contains('/') }.collect { it.substring(0, it.lastIndexOf('/')) }
        entries = folders.collect { [type: 'directory', oid: '0' * 40, size: 0, path: it] } + entries
        Map<String, String> headers = ['Content-Type': 'application/json']
        if (from + pageSize < entries.size()) {
            String page = request.path.replaceFirst(/\?.*/, '')
            headers.Link = "<${endpoint}${page}?recursive=true&cursor=${from + pageSize}>; rel=\"next\"".toString()
        }
        request.answer(200, headers, JsonOutput.toJson(entries.drop(from).take(pageSize)))
    }

    private static Map entry(String path, byte[] bytes) {
        Map entry = [type: 'file', path: path, size: bytes.length]
        if (!isLarge(path)) {
            return entry + [oid: gitId(bytes)]
        }
        entry + [oid: gitId("pointer to ${bytes.sha256()}".bytes), lfs: [oid: bytes.sha256(), size: bytes.length, pointerSize: 130]]
    }

    private void resolve(Request request, Repo repo, String id, String path) {
        byte[] bytes = repo.commits[id][path]
        if (bytes == null) {
            request.answer(404, ['X-Error-Code': 'EntryNotFound'])
            return
        }
        Map<String, String> headers = ['X-Repo-Commit': id]
        if (isLarge(path)) {
            String digest = bytes.sha256()
            headers += ['X-Linked-ETag': "\"${digest}\"".toString(), 'X-Linked-Size': bytes.length.toString()]
            headers.Location = "http://127.0.0.1:${blobs.address.port}/${digest}?signature=${'s' * 20}".toString()
            request.answer(302, headers)
        } else {
            send(request, bytes, headers + [ETag: "\"${gitId(bytes)}\"".toString()])
        }
    }

    private void sendBlob(Request request) {
        String digest = request.path.substring(1).takeBefore('?')
        byte[] bytes = repos.values().collectMany { it.commits.values() }.collectMany { it.values() }.find { it.sha256() == digest }
        // the ETag of the host of blobs is its own affair
        send(request, bytes, [ETag: "\"etag-of-${digest.take(8)}\"".toString()])
    }

    private void send(Request request, byte[] bytes, Map<String, String> headers) {
        Map answer = [status: 200, headers: headers + ['Accept-Ranges': 'bytes'], bytes: bytes]
        def range = (request.headers.range ?: '') =~ /^bytes=(\d+)-$/
        String condition = request.headers['if-range']
        if (range && (condition == null || condition == headers.ETag)) {
            int from = range[0][1] as int
            if (from >= bytes.length) {
                request.answer(416, ['Content-Range': "bytes */${bytes.length}".toString()])
                return
            }
            answer.status = 206
            answer.headers += ['Content-Range': "bytes ${from}-${bytes.length - 1}/${bytes.length}".toString()]
            answer.bytes = Arrays.copyOfRange(bytes, from, bytes.length)
        }
        answer = content(request, answer)
        answer.headers.each { name, value -> request.exchange.responseHeaders.set(name, value) }
        if (request.method == 'HEAD') {
            request.exchange.responseHeaders.set('Content-Length', answer.bytes.length.toString())
            request.exchange.sendResponseHeaders((int) answer.status, -1)
            return
        }
        // a length that is not that of the bytes cuts the connection (or, 0, ends the content where the connection ends)
        request.exchange.sendResponseHeaders((int) answer.status, answer.length ?: answer.bytes.length ?: -1)
        request.exchange.responseBody.write((byte[]) answer.bytes)
        request.exchange.responseBody.flush()
    }
}
