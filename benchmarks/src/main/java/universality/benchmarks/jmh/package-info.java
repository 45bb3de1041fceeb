/** Kernels one by one, by JMH: {@code benchmarks/run jmh [REGEX]}. */
package universality.benchmarks.jmh;
