package dev.ascribe.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ascribe.Digests;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class MerkleTreeTest {
    /** The test vectors of the Certificate Transparency project: entries, and the root after each of them. */
    private static final List<String> ENTRIES =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");

    private static final List<String> ROOTS = List.of(
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    @Test
    void rootsAreThoseOfCertificateTransparency() {
        HexFormat hex = HexFormat.of();
        MerkleTree tree = new MerkleTree();
        for (int i = 0; i < ENTRIES.size(); i++) {
            tree.add(hex.parseHex(ENTRIES.get(i)));
            assertThat(hex.formatHex(tree.root())).as("%d entries", i + 1).isEqualTo(ROOTS.get(i));
        }
        assertThat(tree.size()).isEqualTo(ENTRIES.size());
    }

    @Test
    void theRootOfNothingIsTheHashOfNothing() {
        assertThat(new MerkleTree().root()).isEqualTo(Digests.sha256(new byte[0]));
    }

    @Property(tries = 200)
    void rootIsThatOfTheRecursiveDefinition(@ForAll @Size(min = 1, max = 70) List<byte[]> entries) {
        MerkleTree tree = new MerkleTree();
        entries.forEach(tree::add);
        assertThat(tree.root()).isEqualTo(recursive(entries));
    }

    private static byte[] recursive(List<byte[]> entries) {
        if (entries.size() == 1) {
            return sha256(new byte[] {0}, entries.getFirst());
        }
        int split = Integer.highestOneBit(entries.size() - 1);
        return sha256(
                new byte[] {1},
                recursive(entries.subList(0, split)),
                recursive(entries.subList(split, entries.size())));
    }

    private static byte[] sha256(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return Digests.sha256(all.toByteArray());
    }
}
