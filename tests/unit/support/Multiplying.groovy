package unit.support

import ai.djl.ndarray.types.Shape
import universality.tensor.Compute
import universality.tensor.Kernel

/** A process that does nothing but multiply, by oneDNN, until it is ended; says so when it has begun. */
class Multiplying {
    static void main(String[] arguments) {
        def compute = Compute.start('cpu', 2)
        def kernel = Kernel.load(compute.manager(), 'correlate', true)
        def x = compute.manager().ones(new Shape(4096, 3072)) // a call is to end long before the hook gives up waiting
        def total = compute.manager().zeros(new Shape(3072, 3072), ai.djl.ndarray.types.DataType.FLOAT64)
        def room = compute.manager().zeros(new Shape(3072, 3072))
        println 'multiplying'
        System.out.flush()
        while (true) {
            kernel.call(compute.manager(), 'accumulate', total, x, x, 4096, room).close()
        }
    }
}
