/** Statistics of small things in plain Java: no engine, no files. Undefined results are NaN, which the writers leave empty. */
package universality.stats;
