/** No stage of a study: whether results are what their manifests say, and in what two results differ. */
package universality.verify;
