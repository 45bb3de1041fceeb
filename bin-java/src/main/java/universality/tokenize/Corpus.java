package universality.tokenize;

import java.util.Iterator;
import universality.text.PlantedText;

/** Where the documents of each split come from. */
interface Corpus {
    /** The documents of a split in packing order; without end where they are generated. No two splits share one. */
    Iterator<PlantedText> documents(String split);

    /** Whether documents carry planted features; otherwise their masks are empty. */
    boolean planted();

    /** Whether every split has as many documents as are asked for. */
    boolean endless();
}
