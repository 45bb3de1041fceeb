/** The stage {@code ablate}: what a model loses when neurons are replaced, beside what it loses without as many others. */
package universality.ablate;
