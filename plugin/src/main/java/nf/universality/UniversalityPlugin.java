package nf.universality;

import nextflow.plugin.BasePlugin;
import org.pf4j.PluginWrapper;

/** Where Nextflow enters the plugin; what it offers is listed in {@code META-INF/extensions.idx}. */
public class UniversalityPlugin extends BasePlugin {
    public UniversalityPlugin(PluginWrapper wrapper) {
        super(wrapper);
    }
}
