/** The stage {@code sweep}: what several combinations of parameters found, side by side. */
package universality.sweep;
