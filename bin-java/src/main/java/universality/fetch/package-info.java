/**
 * The stage {@code fetch}: verified checkpoints and texts, from a folder or from the Hugging Face hub. Plain Java, no engine.
 *
 * <p>Files of the hub lie in the hub's own cache layout ({@link universality.fetch.HubCache}), shared with every other program
 * that knows it. What other stages read is a folder of links to them with a manifest ({@link universality.fetch.CheckpointCache}).
 */
package universality.fetch;
