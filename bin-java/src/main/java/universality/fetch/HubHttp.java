package universality.fetch;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import universality.data.Build;

/**
 * Single requests. Redirects are followed here and not by the client, because the token may go to the hub alone: files are
 * served by other hosts, whose signed addresses need none. Thread-safe.
 */
final class HubHttp {
    private static final int MOST_REDIRECTS = 10;

    private final HubSettings settings;
    private final HttpClient client;

    HubHttp(HubSettings settings) {
        this.settings = settings;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // one connection for each file: a break costs that file alone
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.patience().connect())
                .proxy(settings.proxies())
                .build();
    }

    /**
     * The answer to GET, at the end of its redirects. The caller closes its body.
     *
     * @throws HubStatus if it is none of 200 and 206
     */
    HttpResponse<BodyStream> get(URI address, Map<String, String> headers) throws IOException {
        URI uri = address;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            HttpResponse<BodyStream> answer = exchange(uri, headers);
            int status = answer.statusCode();
            if (status == 200 || status == 206) {
                return answer;
            }
            answer.body().close();
            if (status / 100 != 3 || status == 304 || status == 300) {
                throw new HubStatus(status, uri.getHost(), answer.headers());
            }
            uri = target(uri, answer);
        }
        throw new IOException(address.getHost() + " sends us from one address to the next without an end");
    }

    private static URI target(URI from, HttpResponse<BodyStream> answer) throws IOException {
        String location = answer.headers().firstValue("Location").orElse("");
        try {
            URI target = from.resolve(location);
            boolean downgrade = "https".equals(from.getScheme()) && !"https".equals(target.getScheme());
            if (!location.isEmpty() && target.getHost() != null && !downgrade) {
                return target;
            }
        } catch (IllegalArgumentException e) {
            // said below; the address is not repeated, it may be signed
        }
        throw new IOException(from.getHost() + " sends us to an address that cannot be used");
    }

    private HttpResponse<BodyStream> exchange(URI uri, Map<String, String> headers) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .header("User-Agent", "nf-universality/" + Build.version())
                .header("Accept-Encoding", "identity"); // sizes and digests are those of the plain content
        headers.forEach(request::header);
        if (settings.token().isPresent() && isHub(uri)) {
            request.header("Authorization", settings.token().header());
        }
        Duration stall = settings.patience().stall();
        CompletableFuture<HttpResponse<BodyStream>> answer =
                client.sendAsync(request.build(), head -> new BodyStream(stall));
        try {
            // not the request's own timeout: newer Java lets that run until the end of the body
            return answer.get(stall.plus(settings.patience().connect()).toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new IOException("no answer within " + stall.toMillis() + " milliseconds", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            throw new IOException(message(cause), cause);
        }
    }

    /** The client's own exceptions often have no message but a telling cause. */
    private static String message(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return "the host's name is not known here";
            }
            if (cause.getMessage() != null) {
                return cause.getMessage();
            }
        }
        return failure.getClass().getSimpleName();
    }

    private boolean isHub(URI uri) {
        URI hub = settings.endpoint();
        return hub.getScheme().equalsIgnoreCase(uri.getScheme())
                && hub.getHost().equalsIgnoreCase(uri.getHost())
                && port(hub) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }
}
