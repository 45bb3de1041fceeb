package pipeline

/** What happens to a run. */
enum Blow {
    HEAD('SIGKILL to Nextflow alone; its tasks run on', true),
    MACHINE('SIGKILL to Nextflow and all of its tasks, as when the power goes', true),
    TERMINATE('SIGTERM to Nextflow', true),
    TASK('SIGKILL to the wrapper of a task and all below it', false),
    WRAPPER('SIGKILL to the wrapper of a task alone; its tool runs on', false),
    TOOL('SIGKILL to the JVM of a tool', false),
    DISK('the disk with the work folder is full', true),
    RESULTS('the folder of results is read-only', true)

    final String what
    /** Whether the launch ends by it; otherwise the task is tried again. */
    final boolean ends

    Blow(String what, boolean ends) {
        this.what = what
        this.ends = ends
    }

    /**
     * So many blows in random order, each kind as often as any other, give or take one.
     *
     * @param kinds those that can be dealt here
     */
    static List<Blow> some(int count, List<Blow> kinds, Random random) {
        List<Blow> blows = []
        while (blows.size() < count) {
            List<Blow> round = new ArrayList<>(kinds)
            Collections.shuffle(round, random)
            blows.addAll(round.take(count - blows.size()))
        }
        blows
    }
}
