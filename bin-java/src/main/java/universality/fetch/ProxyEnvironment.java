package universality.fetch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import universality.data.ToolException;

/**
 * The proxies that {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY} name (lower-case names win,
 * as with other programs). Java itself does not look at them, and clusters often have no other way out.
 */
public final class ProxyEnvironment extends ProxySelector {
    private final URI secure;
    private final URI plain;
    private final List<String> direct;

    private ProxyEnvironment(URI secure, URI plain, List<String> direct) {
        this.secure = secure;
        this.plain = plain;
        this.direct = direct;
    }

    /**
     * Reads the variables.
     *
     * @throws ToolException (usage) if one is no {@code http://HOST:PORT}
     */
    static ProxyEnvironment of(Map<String, String> environment) {
        return new ProxyEnvironment(
                proxy(environment, "https_proxy"),
                proxy(environment, "http_proxy"),
                List.of(value(environment, "no_proxy").toLowerCase(Locale.ROOT).split("[,\\s]+")));
    }

    private static String value(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        return (value.isEmpty() ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "") : value).strip();
    }

    private static URI proxy(Map<String, String> environment, String name) {
        String value = value(environment, name);
        String text = value.isEmpty() ? value(environment, "all_proxy") : value;
        if (text.isEmpty()) {
            return null;
        }
        try {
            URI uri = URI.create(text.contains("://") ? text : "http://" + text);
            if ("http".equals(uri.getScheme()) && uri.getHost() != null && uri.getRawUserInfo() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // said below; the value is not repeated, it may hold a password
        }
        throw ToolException.usage(
                "the environment's %s is no address http://HOST:PORT without a password: only such proxies can be used",
                name);
    }

    @Override
    public List<Proxy> select(URI uri) {
        URI proxy = "https".equals(uri.getScheme()) ? secure : plain;
        if (proxy == null || isDirect(uri.getHost().toLowerCase(Locale.ROOT))) {
            return List.of(Proxy.NO_PROXY);
        }
        int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
        return List.of(new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(proxy.getHost(), port)));
    }

    private boolean isDirect(String host) {
        return direct.stream()
                .filter(name -> !name.isEmpty())
                .map(name -> name.replaceFirst("^\\*?\\.?", ""))
                .anyMatch(name -> name.isEmpty() || host.equals(name) || host.endsWith("." + name));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException e) {
        // the request fails with the same exception
    }
}
