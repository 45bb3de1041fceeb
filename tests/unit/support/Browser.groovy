package unit.support

import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.WebSocket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/**
 * Chromium (or Chrome) without a window, told what to do through its DevTools protocol. What a page promises is awaited by the
 * browser's own event loop: with {@code --virtual-time-budget} and {@code --dump-dom} the page's clock runs out before work that
 * another process of the browser does for the page, such as reading a blob, if that process is late.
 */
class Browser implements Closeable {
    private static final List<String> NAMES = ['chromium', 'chromium-browser', 'google-chrome']
    private static final Duration PATIENCE = Duration.ofMinutes(2) // only to end what hangs

    private final Path log
    private final Process process
    private final Answers answers = new Answers()
    private final AtomicInteger calls = new AtomicInteger()
    private WebSocket socket

    /** The browser's command, or null where there is none. */
    static String command() {
        (System.getenv('PATH') ?: '').split(File.pathSeparator)
                .collectMany { folder -> NAMES.collect { new File(folder, it) } }
                .find { it.file && it.canExecute() }?.path
    }

    /** Starts a browser whose profile and log are in the folder. */
    Browser(Path folder) {
        log = folder.resolve('browser.log')
        Path profile = folder.resolve('profile')
        process = new ProcessBuilder(
                command(), '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic',
                '--host-resolver-rules=MAP * ~NOTFOUND', "--user-data-dir=$profile", '--window-size=1200,900',
                '--remote-debugging-port=0', 'about:blank')
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
        try {
            String address = page(port(profile.resolve('DevToolsActivePort')))
            socket = HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create(address), answers).get(2, TimeUnit.MINUTES)
        } catch (Throwable failure) { // an assertion too: nobody else would end the browser
            close()
            throw failure
        }
    }

    /**
     * Opens a page and returns what the expression's promise comes to.
     *
     * @param script runs before any script of the page, and whatever the page's policy is
     */
    Object read(Path page, String script, String expression) {
        tell('Page.enable', [:]) // without it the script is taken and never run
        tell('Page.addScriptToEvaluateOnNewDocument', [source: script])
        Map opened = tell('Page.navigate', [url: page.toUri().toString()])
        assert !opened.errorText
        Map answer = tell('Runtime.evaluate', [expression: expression, awaitPromise: true, returnByValue: true])
        assert !answer.exceptionDetails
        answer.result.value
    }

    private Map tell(String method, Map parameters) {
        int id = calls.incrementAndGet()
        CompletableFuture<Map> answer = answers.expect(id)
        socket.sendText(JsonOutput.toJson([id: id, method: method, params: parameters]), true).join()
        Map said = answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        assert !said.error
        (Map) said.result
    }

    /** The port that the browser chose, once it has written it. */
    private int port(Path file) {
        long end = System.nanoTime() + PATIENCE.toNanos()
        while (true) {
            if (Files.exists(file)) {
                List<String> lines = Files.readAllLines(file)
                if (lines.size() > 1) {
                    return lines[0] as int
                }
            }
            assert process.alive && System.nanoTime() < end: "the browser did not start: ${Files.readString(log).take(2000)}"
            sleep 20
        }
    }

    /** Where the page that the browser began with listens. */
    private static String page(int port) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:$port/json/list")).timeout(PATIENCE).build()
        String text = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body()
        ((List<Map>) new JsonSlurper().parseText(text)).find { it.type == 'page' }.webSocketDebuggerUrl
    }

    /** Ends the browser and waits until it, and what it started, are gone, so that its profile can be deleted. */
    @Override
    void close() {
        socket?.abort()
        List<ProcessHandle> all = process.descendants().toList() + [process.toHandle()]
        all.each { it.destroyForcibly() }
        all.each { it.onExit().get(2, TimeUnit.MINUTES) }
    }

    /** What the browser answers, by the number of the call; its events are passed over. */
    private static class Answers implements WebSocket.Listener {
        private final Map<Integer, CompletableFuture<Map>> expected = new ConcurrentHashMap<>()
        private final StringBuilder text = new StringBuilder()

        CompletableFuture<Map> expect(int id) {
            expected.computeIfAbsent(id) { new CompletableFuture<Map>() }
        }

        @Override
        CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            text.append(part)
            if (last) {
                Map said = (Map) new JsonSlurper().parseText(text.toString())
                text.length = 0
                if (said.id != null) {
                    expected.remove(said.id)?.complete(said)
                }
            }
            socket.request(1)
            null
        }

        @Override
        void onError(WebSocket socket, Throwable failure) {
            expected.values().each { it.completeExceptionally(failure) }
        }

        @Override
        CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
            onError(socket, new IOException("the browser ended the connection: $status $reason"))
            null
        }
    }
}
