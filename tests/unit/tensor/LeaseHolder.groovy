package unit.tensor

import java.nio.file.Path
import java.time.Duration
import universality.data.ToolException
import universality.tensor.Leases

/** A process that leases one of some GPUs that are not there, says which, and keeps it until its input ends. */
class LeaseHolder {
    static void main(String[] arguments) {
        def (folder, gpus, wanted, share, patience) = arguments
        def leases = new Leases(Path.of(folder), share as int, Duration.ofSeconds(patience as long), { System.err.println(it) })
        try {
            def lease = leases.acquire(gpus.split(',').toList(), wanted as int)
            println(lease.index())
            System.in.read()
            lease.close()
        } catch (ToolException e) {
            System.err.println(e.message)
            System.exit(e.code().status())
        }
    }
}
