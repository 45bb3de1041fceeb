/** The stage {@code identify}: from correlation tables to neuron tables and the universal set. Plain Java, no engine. */
package universality.identify;
