package unit

import universality.cli.Main

/** Runs a command line of the tools in this process. */
class Tool {
    final int status
    final String error

    private Tool(int status, String error) {
        this.status = status
        this.error = error
    }

    /** Runs {@code arguments}; paths and numbers may be given as they are. */
    static Tool run(Object... arguments) {
        def before = System.err
        def bytes = new ByteArrayOutputStream()
        System.err = new PrintStream(bytes, true, 'UTF-8')
        try {
            int status = Main.run(arguments*.toString() as String[])
            new Tool(status, bytes.toString('UTF-8'))
        } finally {
            System.err = before
        }
    }

    /** Whether it ended with {@code status} after one line that holds all of {@code parts}. */
    boolean refused(int expected, String... parts) {
        status == expected && error.readLines().size() == 1 && parts.every { error.contains(it) }
    }
}
