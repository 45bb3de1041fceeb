/** The stage {@code persist}: when neurons become universal and how long they stay so. Plain Java, no engine. */
package universality.persist;
