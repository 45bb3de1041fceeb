package universality.tokenize;

import com.github.luben.zstd.Zstd;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/** Unpacks the pages of Parquet files without Hadoop's codecs. */
final class ParquetCodecs implements CompressionCodecFactory {
    /** What can be unpacked. */
    static final List<CompressionCodecName> KNOWN = List.of(
            CompressionCodecName.UNCOMPRESSED,
            CompressionCodecName.SNAPPY,
            CompressionCodecName.GZIP,
            CompressionCodecName.ZSTD,
            CompressionCodecName.LZ4_RAW);

    static boolean knows(CompressionCodecName codec) {
        return KNOWN.contains(codec);
    }

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
        throw new UnsupportedOperationException("nothing is written as Parquet");
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
        return new Unpacker(codec);
    }

    @Override
    public void release() {
        // no codec keeps anything
    }

    private record Unpacker(CompressionCodecName codec) implements BytesInputDecompressor {
        @Override
        public BytesInput decompress(BytesInput bytes, int size) throws IOException {
            return codec == CompressionCodecName.UNCOMPRESSED
                    ? bytes
                    : BytesInput.from(unpack(bytes.toInputStream().readAllBytes(), size));
        }

        @Override
        public void decompress(ByteBuffer in, int packedSize, ByteBuffer out, int size) throws IOException {
            byte[] packed = new byte[packedSize];
            in.get(packed);
            out.put(codec == CompressionCodecName.UNCOMPRESSED ? packed : unpack(packed, size));
        }

        private byte[] unpack(byte[] packed, int size) throws IOException {
            byte[] page = new byte[size];
            long found =
                    switch (codec) {
                        case SNAPPY -> new SnappyDecompressor().decompress(packed, 0, packed.length, page, 0, size);
                        case LZ4_RAW -> new Lz4Decompressor().decompress(packed, 0, packed.length, page, 0, size);
                        case ZSTD -> Zstd.decompressByteArray(page, 0, size, packed, 0, packed.length);
                        case GZIP -> gunzip(packed, page);
                        default -> throw new IOException(codec + " is not known");
                    };
            if (found != size) {
                throw new IOException(String.format("a page has %d bytes, but its header says %d", found, size));
            }
            return page;
        }

        private static int gunzip(byte[] packed, byte[] page) throws IOException {
            try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
                int n = in.readNBytes(page, 0, page.length);
                return in.read() < 0 ? n : n + 1;
            }
        }

        @Override
        public void release() {
            // nothing is kept
        }
    }
}
